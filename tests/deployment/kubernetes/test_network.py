"""Who may talk to whom: the policies, worked out as Kubernetes works them out, against a table written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.deployment.kubernetes.chart import CASES, CHART, EXAMPLES, Object, of_kind, pods, selects

pytestmark = pytest.mark.system

Path = tuple[str, str, int]
"""To or from whom, by which protocol, at which port."""

HTTP = 8080
DNS = {("dns", "UDP", 53), ("dns", "TCP", 53)}

OUT: Mapping[str, set[Path]] = {
    "ingest": {*DNS, ("kafka", "TCP", 9092), ("clickhouse", "TCP", 8123)},
    "metrics": {*DNS, ("kafka", "TCP", 9092), ("clickhouse", "TCP", 8123), ("alerts", "TCP", HTTP)},
    "alerts": {*DNS, ("clickhouse", "TCP", 8123), ("receivers", "TCP", 443)},
    "migrate": {*DNS, ("clickhouse", "TCP", 8123)},
    "test": {*DNS, ("ingest", "TCP", HTTP), ("metrics", "TCP", HTTP), ("alerts", "TCP", HTTP)},
}
IN: Mapping[str, set[Path]] = {
    "ingest": {("prometheus", "TCP", HTTP), ("test", "TCP", HTTP)},
    "metrics": {("ingress", "TCP", HTTP), ("prometheus", "TCP", HTTP), ("test", "TCP", HTTP)},
    # The review, which metrics serves, tells of alerts.
    "alerts": {("ingress", "TCP", HTTP), ("prometheus", "TCP", HTTP), ("test", "TCP", HTTP), ("metrics", "TCP", HTTP)},
    "migrate": set(),
    "test": set(),
}
FULL_OUT: Mapping[str, set[Path]] = {
    "ingest": {*DNS, ("kafka", "TCP", 9093), ("clickhouse", "TCP", 8443), ("traces", "TCP", 4318)},
    "metrics": {
        *DNS, ("kafka", "TCP", 9093), ("clickhouse", "TCP", 8443), ("oidc", "TCP", 443), ("alerts", "TCP", HTTP),
        ("traces", "TCP", 4318),
    },
    "alerts": {
        *DNS, ("clickhouse", "TCP", 8443), ("oidc", "TCP", 443), ("receivers", "TCP", 443), ("receivers", "TCP", 9093),
        ("alertmanager", "TCP", 443), ("alertmanager", "TCP", 9093), ("traces", "TCP", 4318),
    },
    "migrate": {*DNS, ("clickhouse", "TCP", 8443)},
    "test": OUT["test"],
}  # fmt: skip


@pytest.mark.parametrize(("case", "out"), [("minimal", OUT), ("hpa", OUT), ("full", FULL_OUT)])
def test_exactly_these_paths_are_open(case: str, out: Mapping[str, set[Path]]) -> None:
    assert {component: _paths(case, component, "egress") for component in pods(case)} == out
    assert {component: _paths(case, component, "ingress") for component in pods(case)} == IN


@pytest.mark.parametrize("case", ["minimal", "full"])
def test_what_one_pod_may_send_another_may_take(case: str) -> None:
    """A path within the release is open at both of its ends or it is none."""
    for sender in pods(case):
        for receiver, protocol, port in _paths(case, sender, "egress"):
            if receiver in pods(case):
                assert (sender, protocol, port) in _paths(case, receiver, "ingress")


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_pod_is_closed_unless_somebody_wanted_none(case: str) -> None:
    closed = {component: _closed(case, component) for component in pods(case)}
    assert set(closed.values()) == ({False} if case == "plain" else {True})


def test_the_addresses_of_a_cluster_are_no_receivers() -> None:
    """By default a page goes out to the world and nowhere else: not to neighbours, not to a cloud's metadata."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    ((block,),) = (peer.values() for peer in values["networkPolicy"]["receivers"]["peers"])
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"} <= set(block["except"])


def _policies(case: str, component: str, direction: str) -> list[Object]:
    labels = pods(case)[component]["metadata"]["labels"]
    return [
        policy["spec"]
        for policy in of_kind(case, "NetworkPolicy").values()
        if selects(policy["spec"]["podSelector"], labels) and direction.capitalize() in policy["spec"]["policyTypes"]
    ]


def _closed(case: str, component: str) -> bool:
    return all(_policies(case, component, direction) for direction in ("ingress", "egress"))


def _paths(case: str, component: str, direction: str) -> set[Path]:
    """What the policies that select the pod open, together. A rule without peers or ports would open everything."""
    found: set[Path] = set()
    for policy in _policies(case, component, direction):
        for rule in policy.get(direction, ()):
            peers, ports = rule["to" if direction == "egress" else "from"], rule["ports"]
            assert peers
            assert ports
            for peer in peers:
                for name in _names(case, peer):
                    found |= {
                        (name, port["protocol"], HTTP if port["port"] == "http" else port["port"]) for port in ports
                    }
    return found


def _names(case: str, peer: Mapping[str, Any]) -> list[str]:
    if set(peer) == {"podSelector"}:
        chosen = [name for name, pod in pods(case).items() if selects(peer["podSelector"], pod["metadata"]["labels"])]
        assert chosen, peer
        return chosen
    return [_outside(case)[json.dumps(peer, sort_keys=True)]]


def _outside(case: str) -> dict[str, str]:
    """Who is not of the release, by how values describe it."""
    found: dict[str, str] = {}
    for file in (CHART / "values.yaml", *(EXAMPLES / f"{name}.yaml" for name in CASES[case])):
        given = yaml.safe_load(file.read_text(encoding="utf-8")).get("networkPolicy", {})
        for name, what in given.items():
            if name == "enabled":
                continue
            for peer in what["peers"]:
                labels = peer.get("podSelector", {}).get("matchLabels", {})
                called = "alertmanager" if "alertmanager" in labels.values() else name
                found[json.dumps(peer, sort_keys=True)] = called
    return found
