"""The product with the festivals in it, next to DuckDB with the same records in it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from services.common.clock import to_datetime
from services.common.settings import Settings
from tests.conformance.records import Record
from tests.festivals.duck_events import Duck
from tests.festivals.script import Festival
from tests.ingest.harness import produce
from tests.support.broker import free_port, running_broker
from tests.support.war_room import wait_until

SETTLED_SECONDS = 120.0


@dataclass(frozen=True)
class Glimpse:
    """What the product said of a campaign while records were still being sent."""

    campaign: str
    sent: int
    """How many records had been sent."""
    watermarks: Mapping[str, datetime | None]
    metrics: Mapping[str, Any]


@dataclass
class System:
    """Asks the product over HTTP; `duck` answers for the same records."""

    http: httpx.Client
    duck: Duck
    festivals: Mapping[str, Festival]
    clock: Path
    acknowledged: list[tuple[int, datetime]] = field(default_factory=list)
    """When Kafka had so many of the records."""
    glimpses: list[Glimpse] = field(default_factory=list)

    def get(self, path: str, *, campaign: str | None = None, **params: Any) -> Any:
        """The JSON body of a call that succeeds, at the campaign's moment. `from` is written `from_`."""
        answer = self.ask(path, campaign=campaign, **params)
        assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def ask(self, path: str, *, campaign: str | None = None, **params: Any) -> httpx.Response:
        """Any answer to a call below `/api/v1`, or below a campaign; moments are written as RFC 3339."""
        if campaign is not None:
            self.clock.write_text(str(self.festivals[campaign].now_ms))
            path = f"/campaigns/{campaign}{path}"
        query = {
            name.rstrip("_"): value.isoformat() if isinstance(value, datetime) else value
            for name, value in params.items()
            if value is not None
        }
        return self.http.get(f"/api/v1{path}", params=query)

    def now(self, campaign: str) -> datetime:
        """The moment at which a festival is looked at."""
        return to_datetime(self.festivals[campaign].now_ms)

    def start(self, campaign: str) -> datetime:
        """When the festival starts by its declaration."""
        return instant(self.festivals[campaign].body["start"])

    def end(self, campaign: str) -> datetime:
        """When the festival ends by its declaration."""
        return instant(self.festivals[campaign].body["end"])


def instant(text: str) -> datetime:
    """A moment of a body or an answer, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


@contextmanager
def loaded_system(directory: Path, festivals: Sequence[Festival], records: Sequence[Record]) -> Iterator[System]:
    """The product once it has counted all records."""
    rates = {code: rate for festival in festivals for code, rate in festival.rates.items()}
    clock = directory / "now"
    with running_broker(directory / "broker") as broker:
        settings = Settings(
            kafka_bootstrap_servers=broker.bootstrap_servers, topic_partitions=3, currency_rates=rates, **_BLOCKS
        )
        with _running(settings, directory, clock) as url, httpx.Client(base_url=url, timeout=60) as http:
            duck = Duck(records, {festival.name: festival.body for festival in festivals}, rates)
            system = System(http, duck, {festival.name: festival for festival in festivals}, clock)
            for festival in festivals:
                answer = http.put(f"/api/v1/campaigns/{festival.name}", json=dict(festival.body))
                assert answer.is_success, answer.text
            for first in range(0, len(records), 5_000):
                sent = [(record.kind, record.key, record.value) for record in records[first : first + 5_000]]
                asyncio.run(produce(settings, sent))
                system.acknowledged.append((first + len(sent), datetime.now(UTC)))
                _look(system)
            _settle(system)
            yield system


# Small blocks, so that what belongs together arrives apart.
_BLOCKS: Mapping[str, Any] = {"batch_max_rows": 7_000, "batch_max_age_ms": 150}


def _look(system: System) -> None:
    """Asks about one campaign after the other; the clock is the machine's meanwhile."""
    system.clock.unlink(missing_ok=True)
    name = list(system.festivals)[len(system.glimpses) % len(system.festivals)]
    answer = system.get(f"/campaigns/{name}/overview", to="2100-01-01T00:00:00Z", baseline="none")
    moments = {kind: instant(moment) if moment else None for kind, moment in answer["watermarks"].items()}
    system.glimpses.append(Glimpse(name, system.acknowledged[-1][0], moments, answer["metrics"]))


def _settle(system: System) -> None:
    """Returns when all that was sent counts: no number moves and the watermark has passed the sending."""
    sent = datetime.now(UTC)
    name = next(iter(system.festivals))
    system.clock.unlink(missing_ok=True)

    def settled() -> bool:
        watermark = system.get(f"/campaigns/{name}/overview")["watermark"]
        return watermark is not None and instant(watermark) > sent

    wait_until(settled, SETTLED_SECONDS, "counting what was sent")


@contextmanager
def _running(settings: Settings, directory: Path, clock: Path) -> Iterator[str]:
    port = free_port()
    given = settings.model_dump(mode="json", exclude_unset=True)
    arguments = [json.dumps(given), str(directory / "store"), str(clock), str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    log = directory / "child.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.festivals.child", *arguments], stdout=out, stderr=out, env=environment
        )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(ready, 60, "becoming ready")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
