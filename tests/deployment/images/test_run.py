"""The services as a container runs them: the Dockerfile's own steps, the commands and settings of compose.yaml, as
nobody, on a root that cannot be written to. In the place of ClickHouse is the tests' endpoint; Kafka is Apache's."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from services.common.settings import Settings
from tests.deployment.images.project import DEPLOY, ours
from tests.deployment.images.secrets import made_secrets
from tests.ingest.harness import order, produce, record, traffic
from tests.support.broker import free_port, unique
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.debian import NotToBeHad
from tests.support.gotools import BUILD_SECONDS, build
from tests.support.image import Image, built_image
from tests.support.kafka import ApacheKafka
from tests.support.war_room import STOP_SECONDS, wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(BUILD_SECONDS + 600)]

SECONDS = 120.0
MOST_MEGABYTES = 470
"""Of what the image adds to its base, unpacked."""


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The target `warroom`, built."""
    try:
        build("compose")
        with built_image("warroom") as built:
            yield built
    except NotToBeHad as error:
        pytest.skip(str(error))


class Containers:
    """The services of compose.yaml as processes of the image, with addresses of this machine."""

    def __init__(self, image: Image, directory: Path, secrets: Path, addresses: Mapping[str, str]) -> None:
        self._image = image
        self._directory = directory
        self._secrets = secrets
        self._addresses = dict(addresses)
        self.ports = {name: free_port() for name in ours()}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Returns at once."""
        config = self._image.config
        with (self._directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._image.command([*config["Entrypoint"], *ours()[name]["command"]], self._mounts(name)),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(name),
            )  # fmt: skip

    def environment(self, name: str) -> dict[str, str]:
        """The image's, and what compose.yaml says, with the addresses of this test."""
        given = {key: self._addresses.get(key, value) for key, value in ours()[name]["environment"].items()}
        return self._image.environment({**given, **self._prefix(), "WARROOM_HTTP_PORT": str(self.ports[name])})

    def run(self, name: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        """A command in the container of a service, to its end."""
        return subprocess.run(
            self._image.command(arguments, self._mounts(name)),
            env=self.environment(name), capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip

    def healthy(self, name: str) -> bool:
        """Whether the health check of the image says so."""
        assert self._running[name].poll() is None, self.log(name)
        return self.run(name, self._image.config["Healthcheck"]["Test"][1:]).returncode == 0

    def finish(self, name: str) -> int:
        """The status of one that ends by itself."""
        return self._running.pop(name).wait(SECONDS)

    def stop(self, name: str) -> int:
        """As `docker stop`: the status."""
        process = self._running.pop(name)
        process.send_signal(getattr(signal, self._image.config["StopSignal"]))
        return process.wait(STOP_SECONDS)

    def log(self, name: str) -> str:
        """What it said."""
        return (self._directory / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        """By force."""
        for process in self._running.values():
            process.kill()
            process.wait(10)

    def _prefix(self) -> dict[str, str]:
        return {key: value for key, value in self._addresses.items() if key == "WARROOM_TOPIC_PREFIX"}

    def _mounts(self, name: str) -> dict[str, Path]:
        service = ours()[name]
        found = {secret["target"]: self._secrets / secret["source"] for secret in service.get("secrets") or []}
        for volume in service.get("volumes") or []:
            source = Path(volume["source"])
            is_secret = source.is_relative_to(DEPLOY / "secrets")
            found[volume["target"]] = self._secrets / source.relative_to(DEPLOY / "secrets") if is_secret else source
        return found


@pytest.fixture
def containers(image: Image, kafka: ApacheKafka, tmp_path: Path) -> Iterator[Containers]:
    secrets = made_secrets(tmp_path)
    with running_endpoint(tmp_path / "clickhouse") as endpoint:
        # The one secret that names a host.
        (secrets / "clickhouse_url").unlink()
        (secrets / "clickhouse_url").write_text(endpoint.url)
        addresses = {
            "WARROOM_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "WARROOM_TOPIC_PREFIX": unique("image") + ".",
        }
        running = Containers(image, tmp_path, secrets, addresses)
        try:
            yield running
        finally:
            running.close()


def test_the_image_is_small_and_has_nothing_to_install_with(image: Image) -> None:
    """Catches: a package of development that comes along, and a step that no longer takes out what nobody uses."""
    megabytes = image.size() / 1e6
    print(f"{megabytes:.0f} MB upon the base image")
    assert megabytes < MOST_MEGABYTES
    assert not (image.root / "opt" / "warroom" / "bin" / "pip").exists()


def test_nothing_can_be_written_but_tmp(image: Image) -> None:
    """What the rest of these tests rests on."""
    script = "id -u; grep CapEff /proc/self/status; for d in / /opt/warroom /opt/warroom/numba /usr/local /etc; do "
    script += "touch $d/x 2>/dev/null && echo wrote $d; done; touch /tmp/x && echo tmp"
    done = subprocess.run(
        image.command(["/bin/sh", "-c", script]), env=image.environment({}), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["10001", "CapEff:", "0000000000000000", "tmp"], done.stderr


def test_ingest_compiles_nothing_when_it_starts(image: Image) -> None:
    """Catches: a cache that Numba does not believe in, so that every container compiles for half a minute. Numba says
    of each function whether it loaded or saved it."""
    script = 'cp -r /opt/warroom/numba "$NUMBA_CACHE_DIR" && exec python -m services.ingest.scan'
    done = subprocess.run(
        image.command(["/bin/sh", "-c", script]), env=image.environment({"NUMBA_DEBUG_CACHE": "1"}),
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "data loaded from '/tmp/numba/" in done.stdout
    assert "saved" not in done.stdout


def test_the_house_of_compose_counts_right(containers: Containers) -> None:
    """Catches: a module that only development installs, a file that is not in the wheel, a path that is written to, a
    secret that is not read, a health check that never turns, a process that does not hear SIGTERM."""
    containers.start("migrate")
    assert containers.finish("migrate") == 0, containers.log("migrate")
    assert "migration(s) applied" in containers.log("migrate")
    for name in ("ingest", "metrics", "alerts", "audit"):
        containers.start(name)
    for name in ("ingest", "metrics", "alerts", "audit"):
        try:
            wait_until(lambda name=name: containers.healthy(name), SECONDS, f"{name} becoming healthy")  # type: ignore[misc]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{containers.log(name)}") from None
    assert containers.run("input", ["warroom", "health", "--url", "http://127.0.0.1:1"]).returncode == 1
    asyncio.run(_send(containers))
    key = {"Authorization": f"Bearer {(containers._secrets / 'prometheus_key').read_text()}"}
    url = f"http://127.0.0.1:{containers.ports['metrics']}"
    expected = {"pv": 60, "uv": 60, "orders_paid": 30, "paid_gmv": str(Decimal("19.90") * 30)}

    def counted() -> bool:
        answer = httpx.get(f"{url}/api/v1/campaigns/in-a-box/overview", headers=key, timeout=20)
        return answer.is_success and {name: answer.json()["metrics"][name] for name in expected} == expected

    wait_until(counted, SECONDS, "counting")
    # A stranger gets nothing, and what needs the parts that slim.sh might have taken out is there.
    assert httpx.get(f"{url}/api/v1/campaigns", timeout=20).status_code == 401
    for form in ("csv", "arrow", "parquet"):
        path = f"{url}/api/v1/campaigns/in-a-box/timeseries?metrics=gmv&interval=1m&format={form}"
        assert httpx.get(path, headers=key, timeout=20).status_code == 200, form
    page = httpx.get(f"{url}/", headers={**key, "Accept": "text/html"}, timeout=20)
    assert (page.status_code, "<html" in page.text) == (200, True)
    rules = httpx.get(f"http://127.0.0.1:{containers.ports['alerts']}/api/v1/rules", headers=key, timeout=20)
    assert len(rules.json()["rows"]) >= 16
    for name in ("ingest", "metrics", "alerts", "audit"):
        scraped = httpx.get(f"http://127.0.0.1:{containers.ports[name]}/metrics", headers=key, timeout=20)
        assert f'warroom_service_ready{{service="{name}"}} 1.0' in scraped.text
        assert containers.stop(name) == 0, containers.log(name)
        assert "Traceback" not in containers.log(name)


async def _send(containers: Containers) -> None:
    given = containers.environment("ingest")
    settings = Settings(
        kafka_bootstrap_servers=given["WARROOM_KAFKA_BOOTSTRAP_SERVERS"], topic_prefix=given["WARROOM_TOPIC_PREFIX"]
    )
    views = [record("traffic", traffic("in-a-box", user_id=f"u{number}")) for number in range(60)]
    orders = [record("orders", order("in-a-box", user_id=f"u{number}")) for number in range(30)]
    # A third of them twice.
    await produce(settings, [*views, *orders, *views[:20], *orders[:10]])
