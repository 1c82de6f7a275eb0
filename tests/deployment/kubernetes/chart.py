"""The chart as Helm renders it, for the examples that ship with it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from tests.architecture.sources import ROOT
from tests.support.gotools import build

CHART = ROOT / "deploy" / "helm" / "warroom"
EXAMPLES = ROOT / "deploy" / "helm" / "examples"
RELEASE = "festival"
NAMESPACE = "shop"
SECONDS = 120

Object = dict[str, Any]
"""One object of Kubernetes."""

CASES: Mapping[str, tuple[str, ...]] = {
    "minimal": ("minimal",),
    "full": ("full",),
    "hpa": ("minimal", "hpa"),
    "cluster": ("minimal", "cluster"),
    "plain": ("minimal", "plain"),
}
"""Which of the example files are laid over each other."""

SERVICES = ("ingest", "metrics", "alerts")


def values_of(case: str) -> list[str]:
    """Helm's options that name the files of a case."""
    return [f"--values={EXAMPLES / name}.yaml" for name in CASES[case]]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One call of Helm, which may fail."""
    return subprocess.run(
        [str(build("helm")), *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def template(*options: str) -> subprocess.CompletedProcess[str]:
    """`helm template` of the chart."""
    return helm("template", RELEASE, str(CHART), f"--namespace={NAMESPACE}", *options)


@cache
def rendered(case: str) -> Sequence[Object]:
    """All objects of a case, hooks and tests among them. Whoever gets them leaves them as they are."""
    done = template(*values_of(case))
    assert done.returncode == 0, done.stderr
    found = list(_documents(done.stdout))
    assert found
    return found


def of_kind(case: str, kind: str) -> dict[str, Object]:
    """The case's objects of a kind, by name."""
    return {o["metadata"]["name"]: o for o in rendered(case) if o["kind"] == kind}


def pods(case: str) -> dict[str, Object]:
    """What pods are made from (`metadata` and `spec`), by component; a pod of its own is one too."""
    found: dict[str, Object] = {}
    for o in rendered(case):
        pod = o if o["kind"] == "Pod" else o.get("spec", {}).get("template")
        if o["kind"] in ("Deployment", "Job", "Pod", "StatefulSet", "DaemonSet", "CronJob", "ReplicaSet"):
            assert pod is not None, o["kind"]
            component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
            assert component not in found
            found[component] = pod
    return found


def containers(case: str) -> Iterator[tuple[str, Object]]:
    """Every container of every pod, with its component."""
    for component, pod in pods(case).items():
        spec = pod["spec"]
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            yield component, container


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects what has the labels. Of expressions it knows `In` only."""
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def milli(quantity: str) -> int:
    """A quantity of CPU, in thousandths of a core."""
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


def size(quantity: str) -> int:
    """A quantity of memory, in bytes."""
    found = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity)
    assert found is not None, quantity
    return int(found[1]) << {"Ki": 10, "Mi": 20, "Gi": 30}[found[2]]


class _Loader(yaml.SafeLoader):
    """As Kubernetes reads YAML: a key that stands twice is a mistake, and times are text."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"a key stands twice: {keys}"
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _documents(text: str) -> Iterator[Object]:
    for document in yaml.load_all(text, Loader=_Loader):
        if document is not None:
            assert isinstance(document, dict)
            yield document
