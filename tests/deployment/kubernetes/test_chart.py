"""What Helm itself says of the chart, and what the chart refuses."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
import yaml

from tests.architecture.sources import ROOT
from tests.deployment.kubernetes.chart import CASES, CHART, EXAMPLES, helm, rendered, template, values_of

system = pytest.mark.system


@system
@pytest.mark.parametrize("case", CASES)
def test_helm_lints_it(case: str) -> None:
    done = helm("lint", "--strict", str(CHART), *values_of(case))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout
    assert "[ERROR]" not in done.stdout


@system
def test_no_object_stands_twice() -> None:
    for case in CASES:
        names = [(o["kind"], o["metadata"]["name"]) for o in rendered(case)]
        assert len(names) == len(set(names))


@system
def test_two_releases_share_no_object() -> None:
    """Catches a name or a selector that forgets the release."""
    other = helm("template", "other", str(CHART), *values_of("full"))
    assert other.returncode == 0, other.stderr
    ours = {(o["kind"], o["metadata"]["name"]) for o in rendered("full")}
    theirs = {(o["kind"], o["metadata"]["name"]) for o in yaml.safe_load_all(other.stdout) if o}
    assert len(theirs) == len(ours)
    assert ours & theirs == set()


@system
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("image.repository=", "image.repository"),
        ("externalUrl=", "externalUrl"),
        ("kafka.bootstrapServers=", "kafka.bootstrapServers"),
        ("clickhouse.urlSecret.name=", "clickhouse.urlSecret.name"),
        ("privacy.userKeySecret.name=", "privacy.userKeySecret.name"),
        ("networkPolicy.kafka.peers=null", "networkPolicy.kafka"),
        ("networkPolicy.clickhouse.peers=null", "networkPolicy.clickhouse"),
        ("networkPolicy.ingress.peers=null", "networkPolicy.ingress.peers"),
        ("ingress.host=", "ingress.host"),
        ("ingress.tlsSecret=", "ingress.tlsSecret"),
        ("ingress.host=other.example.com", "links would lead elsewhere"),
        ("ingest.autoscaling.maxReplicas=13", "has nothing to read"),
        ("ingest.autoscaling.minReplicas=7", "minReplicas is above maxReplicas"),
        ("metrics.autoscaling.minReplicas=9", "minReplicas is above maxReplicas"),
        ("settings.WARROOM_HTTP_PORT=9090", "set by the chart itself"),
        ("settings.WARROOM_ALERTS_URL=http://alerts:8080", "set by the chart itself"),
        ("settings.WARROOM_TRACES_ENDPOINT=http://collector:4318", "networkPolicy.traces.peers"),
    ],
)
def test_what_is_not_safe_is_refused_with_a_sentence(given: str, said: str) -> None:
    how = "--set" if given.endswith("=null") or (given[-1].isdigit() and "settings" not in given) else "--set-string"
    done = template(*values_of("minimal"), f"{how}={given}")
    assert done.returncode != 0
    assert said in done.stderr


@system
@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("ingest.replica=3", "replica"),
        ("kafka.bootstrapServer=kafka:9092", "bootstrapServer"),
        ("clickhouse.password=secret", "password"),
        ("alerts.webhookSecret.value=secret", "value"),
        ("clickhouse.url=http://warroom:secret@clickhouse:8123/warroom", "url"),
        ("surprise=true", "surprise"),
        ("networkPolicy.kafka.peer=x", "peer"),
        ("ingest.autoscaling.mode=magic", "mode"),
        ("ingest.resources.limits=null", "limits"),
        ("pods.runAsUser=0", "runAsUser"),
        ("kafka.bootstrapServers=kafka", "bootstrapServers"),
        ("settings.KAFKA=x", "'KAFKA'"),
        ("image.digest=latest", "digest"),
    ],
)
def test_values_that_are_none_are_refused(given: str, at: str) -> None:
    """Catches a schema that lets a slip of the pen through: what it says would silently not be so."""
    done = template(*values_of("minimal"), f"--set-string={given}" if "=0" not in given else f"--set={given}")
    assert done.returncode != 0
    assert at in done.stderr


def test_every_object_of_the_schema_is_closed_but_for_what_is_kubernetes_own() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    opened = []

    def walk(node: object, path: str) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and node.get("additionalProperties") in (None, True):
                opened.append(path)
            for name, value in node.items():
                walk(value, f"{path}/{name}")
        elif isinstance(node, list):
            for value in node:
                walk(value, path)

    walk(schema, "")
    assert sorted(path.rpartition("/")[2] for path in opened) == sorted(
        ["global", "items", "ipBlock", "namespaceSelector", "podSelector"]
    )


def test_schema_and_values_name_the_same() -> None:
    """Catches a value without a default or a comment, and one that the schema would refuse."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    def compare(node: dict[str, object], value: object, path: str) -> None:
        if "$ref" in node:
            node = schema["$defs"][str(node["$ref"]).rpartition("/")[2]]
        properties = node.get("properties")
        if isinstance(properties, dict) and isinstance(value, dict):
            assert properties.keys() - {"global"} == value.keys(), path
            for name, below in value.items():
                compare(properties[name], below, f"{path}.{name}")

    compare(schema, values, "")


def test_the_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["appVersion"] == project["version"]


def test_the_document_names_the_examples_that_there_are() -> None:
    text = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    named = set(re.findall(r"deploy/helm/examples/(\w+)\.yaml", text))
    assert named == {path.stem for path in EXAMPLES.iterdir()} == {name for case in CASES.values() for name in case}
