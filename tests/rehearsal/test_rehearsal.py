"""A short rehearsal through the real path, by the command."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.page.orders import send_orders
from tests.support.war_room import WarRoom, wait_until, war_room_in


def test_two_incidents_are_found_through_the_real_path(tmp_path: Path) -> None:
    """Catches: a step that is judged before its events are in the store, notices that are lost, a truth that no label
    agrees with. In a process of its own: chDB has one store a process."""
    out = tmp_path / "scorecard.json"
    command = [
        str(Path(sys.executable).with_name("warroom")), "rehearse", "--hours", "0.1", "--rate", "4", "--step", "10s",
        "--incident", "stock_out@120:60", "--incident", "malformed@200:60", "--out", str(out),
        "--require-found", "1", "--require-false", "0",
    ]  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    card = json.loads(out.read_bytes())
    assert {found["rule"] for found in card["found"]} == {"stock_out", "dead_letters"}
    assert all(0 <= found["delay_seconds"] <= 40 for found in card["found"])
    assert card["false"] == []
    assert card["deliveries"] == {"due": 4, "received_once": 4, "never_received": 0, "received_again": 0}
    assert card["totals"]["events"] > 1_000


@pytest.mark.system
def test_what_is_kept_can_be_opened_and_counts_once(tmp_path: Path) -> None:
    """Catches: a standalone that reads everything again, beyond the horizon of what is remembered by arrival."""
    place = tmp_path / "kept"
    command = [
        str(Path(sys.executable).with_name("warroom")), "rehearse", "--hours", "0.1", "--rate", "4", "--step", "30s",
        "--variant", "calm", "--keep", "--data-dir", str(place),
    ]  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    with war_room_in(place) as room:
        room.start()
        before = _counted(room)
        assert before["orders_created"] > 0
        # Something new has come through ingest: what it would have read before that, it has read.
        _send_order(room)
        wait_until(lambda: _known(room, "afterwards"), 90, "the order after it")
        assert _counted(room) == before


def _counted(room: WarRoom) -> dict[str, Any]:
    answer = httpx.get(f"{room.url}/api/v1/campaigns/rehearsal-1/overview", timeout=30).raise_for_status().json()
    return {name: answer["metrics"][name] for name in ("orders_created", "orders_paid", "gmv", "pv", "coupons_issued")}


def _known(room: WarRoom, campaign: str) -> bool:
    return httpx.get(f"{room.url}/api/v1/campaigns/{campaign}/overview", timeout=30).status_code == 200


def _send_order(room: WarRoom) -> None:
    asyncio.run(send_orders(room.kafka, ["1.00"], campaign="afterwards"))
