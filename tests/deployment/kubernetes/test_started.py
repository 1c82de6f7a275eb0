"""The processes of the chart's pods, started as they are rendered: arguments, environment, secrets as files.

What is changed is what one machine makes necessary: where `/run/secrets` is, a port for each, and whose Kafka it is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from services.common.settings import Settings
from tests.deployment.kubernetes.chart import SERVICES, containers
from tests.ingest.harness import order, produce, record, settings_for, traffic
from tests.support.broker import Broker, free_port
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.store import fresh_campaign
from tests.support.war_room import STOP_SECONDS, wait_until

pytestmark = pytest.mark.system

WARROOM = str(Path(sys.executable).with_name("warroom"))
MOUNTED = "/run/secrets/warroom"
READY_SECONDS = 120.0


class Pods:
    """The chart's processes with the Secrets that docs/kubernetes.md makes."""

    def __init__(self, directory: Path, settings: Settings, clickhouse_url: str) -> None:
        self.directory = directory
        self.ports = {service: free_port() for service in SERVICES}
        self._given = {component: container for component, container in containers("minimal") if component != "test"}
        self._changed = {
            "WARROOM_KAFKA_BOOTSTRAP_SERVERS": str(settings.kafka_bootstrap_servers),
            "WARROOM_TOPIC_PREFIX": settings.topic_prefix,
            "WARROOM_TOPIC_REPLICATION_FACTOR": "1",
            "WARROOM_CONSUMER_GROUP": settings.consumer_group,
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        keys = directory / "keys.yaml"
        self.admin = self._command("keys", "add", "me", "--role", "admin", "--file", str(keys)).strip()
        self.prometheus = self._command("keys", "add", "prometheus", "--file", str(keys)).strip()
        self._secret("clickhouse/url", clickhouse_url)
        self._secret("api-keys/keys.yaml", keys.read_text(encoding="utf-8"))
        self._secret("session-key/key", os.urandom(32).hex() + "\n")

    def run(self, component: str) -> None:
        """To its end, which has to be a good one."""
        self._command(*self._given[component]["args"], env=self._environment(component))

    def start(self, component: str) -> None:
        """Returns at once."""
        with (self.directory / f"{component}.log").open("wb") as log:
            self._running[component] = subprocess.Popen(
                [WARROOM, *self._given[component]["args"]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment(component), cwd="/",
            )  # fmt: skip

    def get(self, component: str, path: str, key: str | None = None, cookie: str | None = None) -> httpx.Response:
        """A GET as it comes through the Ingress."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= {"Cookie": cookie} if cookie else {}
        return httpx.get(f"{self.url(component)}{path}", headers=headers, timeout=10)

    def sign_in(self, component: str) -> httpx.Response:
        """The form of the page, sent by a browser: it names the site that the form comes from, `externalUrl`."""
        site = self._environment(component)["WARROOM_EXTERNAL_URL"]
        form = {"key": self.admin}
        return httpx.post(f"{self.url(component)}/login", data=form, headers={"Origin": site}, timeout=10)

    def url(self, component: str) -> str:
        """Where it is on this machine."""
        return f"http://127.0.0.1:{self.ports[component]}"

    def ready(self, component: str) -> bool:
        """As the probe asks it."""
        assert self._running[component].poll() is None, self.log(component)
        try:
            return self.get(component, "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def health(self, component: str) -> subprocess.CompletedProcess[str]:
        """The container of `helm test` that asks it."""
        (asks,) = (c for name, c in containers("minimal") if name == "test" and c["name"] == component)
        _, *arguments, _ = asks["command"]
        command = [sys.executable, *arguments, f"{self.url(component)}/readyz"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def log(self, component: str) -> str:
        """Everything that it wrote."""
        return (self.directory / f"{component}.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """As the kubelet does it; each has to end by itself, and well."""
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for component in list(self._running):
            assert self._running.pop(component).wait(STOP_SECONDS) == 0, self.log(component)

    def close(self) -> None:
        """Leaves nothing."""
        for process in self._running.values():
            process.kill()
            process.wait(10)

    def _environment(self, component: str) -> dict[str, str]:
        given = {
            entry["name"]: entry["value"].replace(MOUNTED, str(self.directory / "secrets"))
            for entry in self._given[component]["env"]
        }
        changed = {name: value for name, value in self._changed.items() if name in given}
        if component in self.ports:
            changed["WARROOM_HTTP_PORT"] = str(self.ports[component])
        return {**_clean(), **given, **changed}

    def _command(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [WARROOM, *arguments], capture_output=True, text=True, timeout=READY_SECONDS, check=False,
            env=env or _clean(),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _secret(self, name: str, text: str) -> None:
        file = self.directory / "secrets" / name
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o440)


@pytest.fixture
def started(embedded_broker: Broker, endpoint: Endpoint, tmp_path: Path) -> Iterator[tuple[Pods, Settings]]:
    """All of them, ready."""
    settings = settings_for(embedded_broker, batch_max_age_ms=400)
    pods = Pods(tmp_path, settings, endpoint.url)
    try:
        pods.run("migrate")
        for service in SERVICES:
            pods.start(service)
        for service in SERVICES:
            wait_until(partial(pods.ready, service), READY_SECONDS, f"{service} becoming ready")
        yield pods, settings
    finally:
        pods.close()


async def test_what_is_rendered_runs(started: tuple[Pods, Settings]) -> None:
    """Catches a secret in a form or with a mode that a process refuses, and a lock that nobody's key opens."""
    pods, settings = started
    campaign = fresh_campaign("rendered")
    views = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(50)]
    await produce(settings, [*views, record("orders", order(campaign, user_id="u1"))])

    def arrived() -> bool:
        answer = pods.get("metrics", f"/api/v1/campaigns/{campaign}/overview", pods.admin)
        found = answer.json()["metrics"] if answer.status_code == 200 else {}
        return (found.get("uv"), found.get("orders_paid")) == (50, 1)

    wait_until(arrived, 60, "the numbers")
    for service in SERVICES:
        assert pods.health(service).returncode == 0
        assert pods.get(service, "/metrics").status_code == 401
        assert "warroom_service_ready" in pods.get(service, "/metrics", pods.prometheus).text
    # Who signs in at one process is known at the other.
    answer = pods.sign_in("metrics")
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert pods.get("alerts", "/api/v1/rules", cookie=cookie).status_code == 200
    assert pods.get("alerts", "/api/v1/rules").status_code == 401
    pods.stop()


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
