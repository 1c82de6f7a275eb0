"""Every object against the schemas of the API that takes it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.deployment.kubernetes.chart import CASES, CHART, Object, rendered
from tests.support.debian import NotToBeHad
from tests.support.gotools import module_folder

pytestmark = pytest.mark.system

OLDEST = "1.30"
"""As Chart.yaml says."""

CUSTOM = {
    "ScaledObject": ("github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    "TriggerAuthentication": ("github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_triggerauthentications.yaml"),
    "ServiceMonitor": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    "PrometheusRule": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
}
"""Where the definition of a kind that is not Kubernetes' own comes from: a module of Go and a file in it."""


def test_the_oldest_version_is_the_charts() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_would_take_every_object(version: str) -> None:
    """Strict: a field that the API does not know is a mistake, where Kubernetes would only drop it."""
    different = {json.dumps(o, sort_keys=True) for case in CASES for o in rendered(case) if o["kind"] not in CUSTOM}
    assert len(different) > 20
    for text in sorted(different):
        kubernetes_validate.validate(json.loads(text), version, strict=True)


@pytest.mark.parametrize("case", ["minimal", "full"])
def test_the_operators_would_take_theirs(case: str) -> None:
    found = [o for o in rendered(case) if o["kind"] in CUSTOM]
    assert {"ScaledObject", "ServiceMonitor", "PrometheusRule"} <= {o["kind"] for o in found}
    for o in found:
        _validator(o["kind"], o["apiVersion"]).validate(o)


def test_a_mistake_would_be_found() -> None:
    """The schemas above are strict ones, and are looked into."""
    (scaled,) = (o for o in rendered("minimal") if o["kind"] == "ScaledObject")
    wrong: Object = {**scaled, "spec": {**scaled["spec"], "maxReplicas": 3}}
    with pytest.raises(jsonschema.ValidationError, match="maxReplicas"):
        _validator("ScaledObject", "keda.sh/v1alpha1").validate(wrong)
    service = next(o for o in rendered("minimal") if o["kind"] == "Service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**service, "spec": {**service["spec"], "port": 1}}, OLDEST, strict=True)


@cache
def _validator(kind: str, api_version: str) -> Any:
    module, file = CUSTOM[kind]
    try:
        folder = module_folder("crds", module)
    except NotToBeHad as error:
        pytest.skip(f"NOT TESTED, objects of {kind}: {error}")
    definition = yaml.safe_load(Path(folder, file).read_text(encoding="utf-8"))
    group, _, wanted = api_version.partition("/")
    assert definition["spec"]["group"] == group
    (version,) = (v for v in definition["spec"]["versions"] if v["name"] == wanted)
    assert version["served"]
    return jsonschema.Draft7Validator(_closed(version["schema"]["openAPIV3Schema"], top=True))


def _closed(schema: Any, *, top: bool = False) -> Any:
    """The same, refusing what Kubernetes would prune: fields that a structural schema does not name."""
    if isinstance(schema, list):
        return [_closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if (
        isinstance(schema.get("properties"), dict)
        and "additionalProperties" not in schema
        and not schema.get("x-kubernetes-preserve-unknown-fields")
        and not (top and not schema["properties"])
    ):
        closed["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        closed["type"] = ["integer", "string"]
    if top:
        closed["properties"]["metadata"] = {"type": "object"}
    return closed
