"""How many there are of each service, and who decides it."""

from __future__ import annotations

import pytest

from services.common.prometheus import INGEST_LAG_SECONDS
from services.common.settings import Settings
from tests.deployment.kubernetes.chart import CASES, Object, containers, of_kind, rendered

pytestmark = pytest.mark.system


@pytest.mark.parametrize("case", CASES)
def test_one_decides_how_many_there_are(case: str) -> None:
    """Catches a number in a Deployment that every upgrade would set what is scaled back to, and a scaler of nothing."""
    scaled = [_target(o) for o in rendered(case) if o["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")]
    fixed = [("Deployment", o["metadata"]["name"]) for o in rendered(case) if "replicas" in o.get("spec", {})]
    deployments = [("Deployment", name) for name in of_kind(case, "Deployment")]
    assert sorted(scaled + fixed) == sorted(deployments)


@pytest.mark.parametrize("case", CASES)
def test_of_nothing_is_there_only_one(case: str) -> None:
    for o in rendered(case):
        spec = o.get("spec", {})
        least = spec.get("minReplicas", spec.get("minReplicaCount", spec.get("replicas")))
        most = spec.get("maxReplicas", spec.get("maxReplicaCount", least))
        if least is not None:
            assert 2 <= least <= most <= 100


@pytest.mark.parametrize("case", CASES)
def test_alerts_are_a_pair(case: str) -> None:
    (deployment,) = (o for name, o in of_kind(case, "Deployment").items() if name.endswith("-alerts"))
    assert deployment["spec"]["replicas"] == 2


@pytest.mark.parametrize("case", ["minimal", "full"])
def test_ingest_follows_the_lag_of_its_own_group(case: str) -> None:
    (scaled,) = of_kind(case, "ScaledObject").values()
    given = _environment(case, "ingest")
    lag, cpu, *openings = scaled["spec"]["triggers"]
    assert lag["type"] == "kafka"
    assert lag["metadata"]["bootstrapServers"] == given["WARROOM_KAFKA_BOOTSTRAP_SERVERS"]
    assert lag["metadata"]["consumerGroup"] == given["WARROOM_CONSUMER_GROUP"]
    # Every value of a trigger is text, or KEDA refuses it.
    assert all(
        isinstance(value, str) for trigger in scaled["spec"]["triggers"] for value in trigger["metadata"].values()
    )
    assert cpu["type"] == "cpu"
    most = scaled["spec"]["maxReplicaCount"]
    assert most <= int(given["WARROOM_TOPIC_PARTITIONS"])
    assert all(1 <= int(opening["metadata"]["desiredReplicas"]) <= most for opening in openings)
    assert scaled["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"


def test_without_keda_the_metric_is_one_that_ingest_exports() -> None:
    (scaler,) = (o for name, o in of_kind("hpa", "HorizontalPodAutoscaler").items() if name.endswith("-ingest"))
    resource, external = scaler["spec"]["metrics"]
    assert resource["resource"]["name"] == "cpu"
    assert external["external"]["metric"]["name"] == INGEST_LAG_SECONDS._name
    assert scaler["spec"]["maxReplicas"] <= int(_environment("hpa", "ingest")["WARROOM_TOPIC_PARTITIONS"])


@pytest.mark.parametrize("case", ["minimal", "full", "hpa"])
def test_more_come_quickly_and_fewer_slowly(case: str) -> None:
    """Each change of the group stops every partition for a moment, and a screen that loses its server comes back."""
    behaviors = [o["spec"]["behavior"] for o in of_kind(case, "HorizontalPodAutoscaler").values()]
    behaviors += [
        o["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        for o in of_kind(case, "ScaledObject").values()
    ]
    assert len(behaviors) == 2
    for behavior in behaviors:
        assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
        assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300
        assert behavior["scaleDown"]["policies"][0]["value"] == 1


def test_the_settings_default_is_less_than_the_charts() -> None:
    """Four partitions are for a laptop: topics cannot be given more later without moving keys (docs/kafka.md)."""
    assert int(_environment("minimal", "ingest")["WARROOM_TOPIC_PARTITIONS"]) > Settings().topic_partitions


def _environment(case: str, component: str) -> dict[str, str]:
    (container,) = (c for name, c in containers(case) if name == component)
    return {entry["name"]: entry["value"] for entry in container["env"]}


def _target(o: Object) -> tuple[str, str]:
    reference = o["spec"]["scaleTargetRef"]
    assert reference["apiVersion"] == "apps/v1"
    return reference["kind"], reference["name"]
