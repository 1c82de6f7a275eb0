"""The files that compose.yaml mounts, read by the programs that they are for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
import yaml
from click.testing import CliRunner

from services.cli import warroom
from services.common.store import Store
from services.common.store.migrate import split_statements
from tests.deployment.images.project import DEPLOY, services
from tests.deployment.images.secrets import made_secrets
from tests.support.broker import free_port
from tests.support.debian import NotToBeHad, find_program
from tests.support.gotools import BUILD_SECONDS, build
from tests.support.prometheus import check
from tests.support.war_room import wait_until

COMPOSE = DEPLOY / "compose"
OPENAPI = DEPLOY.parent / "schemas" / "generated" / "openapi.json"


def had(program: str, package: str) -> Path:
    try:
        return find_program(program, package)
    except NotToBeHad as error:
        pytest.skip(str(error))


@pytest.mark.system
def test_promtool_reads_what_prometheus_is_given(tmp_path: Path) -> None:
    had("promtool", "prometheus")
    text = (COMPOSE / "prometheus.yml").read_text().replace("/run/secrets", str(made_secrets(tmp_path)))
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "warroom-rules.yml").write_text((DEPLOY / "prometheus" / "warroom-rules.yml").read_text())
    check("promtool", "prometheus", "check", "config", str(tmp_path / "prometheus.yml"))


def test_rules_speak_of_the_job_that_is_scraped() -> None:
    """Catches: a job of another name, of which `up{job="warroom"}` never says that it is down."""
    jobs = {job["job_name"] for job in yaml.safe_load((COMPOSE / "prometheus.yml").read_text())["scrape_configs"]}
    asked = set(re.findall(r'job="(\w+)"', (DEPLOY / "prometheus" / "warroom-rules.yml").read_text()))
    assert asked <= jobs


@pytest.mark.system
def test_amtool_reads_what_alertmanager_is_given() -> None:
    had("amtool", "prometheus-alertmanager")
    check("amtool", "prometheus-alertmanager", "check-config", str(COMPOSE / "alertmanager.yml"))


def test_alertmanager_routes_as_the_tested_file_does() -> None:
    """Catches: routes that are changed in one of the two files."""
    tested = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    given = yaml.safe_load((COMPOSE / "alertmanager.yml").read_text())
    assert [receiver["name"] for receiver in given.pop("receivers")] == [r["name"] for r in tested.pop("receivers")]
    assert given == tested


def test_the_receivers_file_is_right() -> None:
    done = CliRunner().invoke(warroom, ["receivers", "check", str(COMPOSE / "receivers.yaml")])
    assert done.exit_code == 0, done.output


def test_clickhouse_parses_every_account(store: Store, tmp_path: Path) -> None:
    """The script is run with a client that keeps what it is sent; the engine parses each statement."""
    made = made_secrets(tmp_path)
    client = tmp_path / "clickhouse-client"
    client.write_text(f'#!/bin/sh\necho "$*" "$CLICKHOUSE_PASSWORD" >{tmp_path}/asked\ncat >{tmp_path}/sql\n')
    client.chmod(0o755)
    script = (COMPOSE / "accounts.sh").read_text()
    script = script.replace("/run/secrets", str(made)).replace("/accounts/", f"{DEPLOY}/clickhouse/")
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", script], env=env, check=True, timeout=60)
    statements = list(split_statements((tmp_path / "sql").read_text()))
    assert "CREATE USER IF NOT EXISTS grafana" in " ".join(statements)
    assert (made / "clickhouse_grafana_password").read_text() not in " ".join(statements)
    assert "--user admin" in (tmp_path / "asked").read_text()
    assert (made / "clickhouse_admin_password").read_text() in (tmp_path / "asked").read_text()
    root = ElementTree.parse(made / "clickhouse_users.xml").getroot()
    statements += [f"{query.text} TO warroom" for query in root.iter("query")]
    for statement in statements:
        assert store.query("SELECT formatQuery({sql:String}) AS sql", {"sql": statement})
    ElementTree.parse(COMPOSE / "clickhouse.xml")


class Upstream:
    """A service that says its name, what it was asked and with which headers; `/slow` says a word and waits."""

    def __init__(self, name: str) -> None:
        self.go_on = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(200)
                if self.path == "/slow":
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    self.wfile.write(b"5\r\nfirst\r\n")
                    outer.go_on.wait(60)
                    self.wfile.write(b"4\r\nlast\r\n0\r\n\r\n")
                    return
                body = json.dumps({"name": name, "path": self.path, "headers": dict(self.headers)}).encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def upstreams() -> Iterator[dict[str, Upstream]]:
    found = {name: Upstream(name) for name in ("metrics", "alerts")}
    yield found
    for each in found.values():
        each.close()


@pytest.fixture(scope="module")
def ingress(upstreams: dict[str, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real nginx, with the command and the file of compose.yaml and the addresses of this test."""
    program = had("nginx", "nginx")
    try:
        build("compose")
    except NotToBeHad as error:
        pytest.skip(str(error))
    directory = tmp_path_factory.mktemp("ingress")
    port = free_port()
    text = (COMPOSE / "nginx.conf").read_text()
    for name, upstream in upstreams.items():
        text = text.replace(f"http://{name}:8080", upstream.address)
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{directory}/")
    (directory / "nginx.conf").write_text(text)
    _, *arguments = services()["ingress"]["entrypoint"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-e", "stderr", "-p", directory, "-c", directory / "nginx.conf", *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (directory / "log").read_text()
        try:
            return httpx.get(f"{url}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, 60, "nginx answering")
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.system
@pytest.mark.timeout(BUILD_SECONDS)
def test_each_path_of_the_api_reaches_its_service(ingress: str) -> None:
    """Catches: a path that the alerts service serves and the ingress sends to metrics, or the other way round."""
    alerts = set()
    for path, calls in json.loads(OPENAPI.read_text())["paths"].items():
        tags = {tag for call in calls.values() for tag in call.get("tags", [])}
        if path == "/metrics":
            continue
        concrete = re.sub(r"\{\w+\}", "x", path)
        answer = httpx.get(f"{ingress}{concrete}?a=b%20c", timeout=20).json()
        assert answer["name"] == ("alerts" if "alerts" in tags else "metrics"), path
        assert answer["path"] == f"{concrete}?a=b%20c"
        alerts |= {path} if "alerts" in tags else set()
    assert {"/api/v1/alerts", "/api/v1/silences", "/api/v1/rules", "/api/v1/alerts/{alert_id}/ack"} <= alerts
    assert httpx.get(f"{ingress}/api/v1/rulesets", timeout=20).json()["name"] == "metrics"
    assert httpx.get(f"{ingress}/metrics", timeout=20).status_code == 404


@pytest.mark.system
@pytest.mark.timeout(BUILD_SECONDS)
def test_services_learn_how_they_were_asked(ingress: str) -> None:
    """Catches: a host that is lost, by which sign-in and the check of origins fail, and a client that says that it came
    by https when a proxy before this one did not."""
    headers = httpx.get(f"{ingress}/", headers={"Host": "warroom.example.com:8443"}, timeout=20).json()["headers"]
    assert headers["Host"] == "warroom.example.com:8443"
    assert headers["X-Forwarded-Proto"] == "http"


@pytest.mark.system
@pytest.mark.timeout(BUILD_SECONDS)
def test_the_stream_is_sent_on_as_it_comes(ingress: str, upstreams: dict[str, Upstream]) -> None:
    """Catches: a proxy that keeps the snapshots until it has enough of them."""
    with httpx.stream("GET", f"{ingress}/slow", timeout=30) as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"first"
        upstreams["metrics"].go_on.set()
        assert b"".join(parts) == b"last"
