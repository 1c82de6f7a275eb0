"""What stands around the services: the ways of requests, what Prometheus is told, and Grafana's dashboards."""

from __future__ import annotations

import json
from typing import cast

import pytest
import yaml
from fastapi import FastAPI

from services.alerts.service import AlertsService
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.metrics.service import MetricsService
from services.review.service import ReviewService
from tests.architecture.sources import ROOT
from tests.deployment.kubernetes.chart import CASES, RELEASE, SERVICES, of_kind, pods, rendered, selects

system = pytest.mark.system

DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"
RULES = ROOT / "deploy" / "prometheus" / "warroom-rules.yml"


@system
@pytest.mark.parametrize("case", ["minimal", "full"])
def test_each_request_comes_to_the_service_that_answers_it(case: str) -> None:
    """Catches a path that alerts get and the Ingress does not know: it would be answered by metrics, with 404."""
    settings = Settings.model_construct()
    store = cast(Store, None)
    alerts = _paths(build_app([AlertsService(settings, store)]))
    metrics = _paths(build_app([MetricsService(settings, store), ReviewService(settings)]))
    # Health, documents, and signing in: every service answers to these for itself.
    assert {"/healthz", "/readyz", "/metrics"} <= alerts & metrics
    for service, paths in (("alerts", alerts - metrics), ("metrics", metrics - alerts)):
        assert len(paths) > 5
        assert {_backend(case, path) for path in paths} == {f"{RELEASE}-warroom-{service}"}, service


@system
@pytest.mark.parametrize("case", ["minimal", "full"])
def test_nothing_of_the_outside_comes_in_plain(case: str) -> None:
    (ingress,) = of_kind(case, "Ingress").values()
    hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
    assert {host for tls in ingress["spec"]["tls"] for host in tls["hosts"]} == hosts
    services = of_kind(case, "Service")
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            assert backend["port"]["name"] in [port["name"] for port in services[backend["name"]]["spec"]["ports"]]


@system
@pytest.mark.parametrize("case", ["minimal", "full"])
def test_prometheus_finds_the_services_under_the_job_of_its_rules(case: str) -> None:
    (monitor,) = of_kind(case, "ServiceMonitor").values()
    services = of_kind(case, "Service").values()
    chosen = [o for o in services if selects(monitor["spec"]["selector"], o["metadata"]["labels"])]
    assert {o["metadata"]["labels"]["app.kubernetes.io/component"] for o in chosen} == set(SERVICES)
    jobs = {o["metadata"]["labels"][monitor["spec"]["jobLabel"]] for o in chosen}
    assert jobs == {"warroom"}
    assert 'job="warroom"' in RULES.read_text(encoding="utf-8")
    for endpoint in monitor["spec"]["endpoints"]:
        assert endpoint["port"] in {port["name"] for o in chosen for port in o["spec"]["ports"]}
        assert int(endpoint["scrapeTimeout"][:-1]) <= int(endpoint["interval"][:-1])


@system
@pytest.mark.parametrize("case", ["minimal", "full"])
def test_rules_and_dashboards_are_those_that_ship(case: str) -> None:
    (rules,) = of_kind(case, "PrometheusRule").values()
    assert rules["spec"] == yaml.safe_load(RULES.read_text(encoding="utf-8"))
    files: dict[str, str] = {}
    for o in of_kind(case, "ConfigMap").values():
        assert o["metadata"]["labels"]["grafana_dashboard"] == "1"
        files |= o["data"]
    assert files.keys() == {path.name for path in DASHBOARDS.iterdir()}
    for name, text in files.items():
        assert json.loads(text) == json.loads((DASHBOARDS / name).read_text(encoding="utf-8"))
        assert len(text) < 900_000, "an object of Kubernetes holds a mebibyte at most"


@system
@pytest.mark.parametrize("case", CASES)
def test_the_test_of_helm_asks_every_service(case: str) -> None:
    pod = pods(case)["test"]
    asked = {container["command"][-1] for container in pod["spec"]["containers"]}
    assert asked == {f"http://{RELEASE}-warroom-{service}:8080/readyz" for service in SERVICES}
    assert {url.partition("//")[2].partition(":")[0] for url in asked} == of_kind(case, "Service").keys()
    (o,) = (o for o in rendered(case) if o["kind"] == "Pod")
    assert o["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_what_the_chart_ships_is_a_link_and_no_copy() -> None:
    """Nothing can drift; Helm takes what a link leads to, in a packed chart too."""
    files = ROOT / "deploy" / "helm" / "warroom" / "files"
    assert {path.name for path in files.iterdir()} == {"warroom-rules.yml", "dashboards"}
    assert (files / "warroom-rules.yml").readlink().as_posix() == "../../../prometheus/warroom-rules.yml"
    assert (files / "dashboards").readlink().as_posix() == "../../../grafana/dashboards"


def _paths(app: FastAPI) -> set[str]:
    return set(app.openapi()["paths"])


def _backend(case: str, path: str) -> str:
    """By the rule of `Prefix`: the longest that is the path's beginning, by whole elements."""
    (ingress,) = of_kind(case, "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    elements = path.strip("/").split("/")
    matching = []
    for entry in rule["http"]["paths"]:
        assert entry["pathType"] == "Prefix"
        prefix = [element for element in entry["path"].split("/") if element]
        if elements[: len(prefix)] == prefix:
            matching.append((len(prefix), entry["backend"]["service"]["name"]))
    name: str = max(matching)[1]
    return name
