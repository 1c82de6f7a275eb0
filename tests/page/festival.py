"""A war room in the middle of a festival, as the tests of the page share it."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.war_room import WarRoom, wait_until

CAMPAIGN = "festival"
BASELINE = f"{CAMPAIGN}-before"
EMPTY = "not-begun"

HISTORY = 8_400
"""Seconds of a festival of three hours that are sent at once: the page opens in the middle of the burst."""

_RATE = 6
_SOLD_OUT = f"stock_out@{HISTORY + 2}:1500"
_SCARCE = f"stock_low@{HISTORY + 2}:1500"
_SENT_SECONDS = 60.0
_FIRING_SECONDS = 90.0


@dataclass(frozen=True)
class Festival:
    """Where it is served. Its campaign has phases, targets, budgets, a year to compare with, a past of more than two
    hours, five channels, thirty regions, and stock of which something is sold out."""

    room: WarRoom

    @property
    def url(self) -> str:
        """The page."""
        return f"{self.room.url}/"

    @property
    def api(self) -> str:
        """Base of the campaign's calls."""
        return f"{self.room.url}/api/v1/campaigns/{CAMPAIGN}"

    def firing(self) -> list[dict[str, Any]]:
        """The alerts of the campaign that fire now."""
        answer = httpx.get(
            f"{self.room.url}/api/v1/alerts", params={"campaign_id": CAMPAIGN, "state": "firing"}, timeout=10
        )
        rows: list[dict[str, Any]] = answer.raise_for_status().json()["rows"]
        return rows

    def wait_for_alert(self) -> None:
        """Returns when an item is known to be sold out: rules wait some seconds before they believe in live events."""
        wait_until(lambda: any(row["rule"] == "stock_out" for row in self.firing()), _FIRING_SECONDS, "an alert")


@contextmanager
def festival_in(room: WarRoom) -> Iterator[Festival]:
    """Sends a festival to a running war room, and goes on as long as the block runs."""
    found = Festival(room)
    with tempfile.TemporaryFile() as log:
        simulator = subprocess.Popen(_command(room), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def live() -> bool:
            if simulator.poll() is not None:
                log.seek(0)
                raise AssertionError(f"the simulator ended\n{log.read().decode(errors='replace')}")
            return _gmv(found) is not None

        try:
            wait_until(live, _SENT_SECONDS, "the festival's past")
            _declare_empty(room)
            yield found
        finally:
            simulator.send_signal(signal.SIGTERM)
            try:
                simulator.wait(15)
            except subprocess.TimeoutExpired:
                simulator.kill()
                simulator.wait(10)


def _command(room: WarRoom) -> list[str]:
    return [
        str(Path(sys.executable).with_name("warroom")), "simulate", "--variant", "flash", "--hours", "3", "--baseline",
        "--history", f"{HISTORY}s", "--events-per-second", str(_RATE), "--campaign-id", CAMPAIGN,
        "--bootstrap-servers", room.kafka, "--api", room.url, "--incident", _SOLD_OUT, "--incident", _SCARCE,
    ]  # fmt: skip


def _gmv(found: Festival) -> str | None:
    answer = httpx.get(f"{found.api}/overview", timeout=10)
    gmv = answer.json()["metrics"]["gmv"] if answer.is_success else None
    return None if gmv in (None, "0.00") else gmv


def _declare_empty(room: WarRoom) -> None:
    body = {"name": "Spring sale", "start": "2020-03-01T00:00:00Z", "end": "2020-03-02T00:00:00Z"}
    httpx.put(f"{room.url}/api/v1/campaigns/{EMPTY}", json=body, timeout=10).raise_for_status()
