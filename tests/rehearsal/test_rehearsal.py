"""A short rehearsal through the real path, by the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


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
