"""Each rule by a festival that fires it, through the real path, with what looks alike beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.alerts.rules.load import load_rules

ELSEWHERE = {"delivery_failure"}
"""What no event brings about."""
INCIDENTS = (
    "budget_overrun@3900:600:channel=live:factor=16",
    "stock_out@3960:180",
    "brushing@4000:300:channel=app:count=120:by=user",
    "stock_low@4300:300",
    "malformed@4380:150",
    "refund_burst@4500:90:count=40",
    "payment_outage@4620:360:channel=mini_program",
    "coupon_abuse@4700:240:channel=web:count=200:by=device",
    "spike@5400:90:channel=live",
    "roi_floor@5400:1500:channel=web",
    "bots@5700:150:channel=store",
    "lost@6000:240:channel=mini_program",
    "trough@6900:720:channel=app",
    "refund_channel@6960:120:channel=live:count=30",
    "refund_fraud@7200:150",
    "drop@7440:240:channel=web",
    "silence@8100:60",
)
DECOYS = ("late@5040:300", "family@5040:1200:channel=store", "viral@5520:600", "refund_bump@5640:180")


@pytest.mark.system
@pytest.mark.timeout(1_800)
def test_each_rule_is_fired_and_nothing_that_looks_alike_is(tmp_path: Path) -> None:
    """Catches: a rule that nobody has seen fire since it was changed, or that pages for what only looks alike.

    The first hour is history. Then ingest is stopped, and one incident follows the other, some at the same time on
    other channels; the burst, from the seventieth minute on, is slow.
    """
    out = tmp_path / "scorecard.json"
    command = [
        str(Path(sys.executable).with_name("warroom")), "rehearse", "--variant", "calm", "--hours", "2.4167",
        "--start", "2026-11-10T20:50:00+08:00", "--rate", "40", "--step", "10s", "--history", "3600s",
        "--lag-at", "3610", "--slow", "burst", "--out", str(out),
        *(word for incident in (*INCIDENTS, *DECOYS) for word in ("--incident", incident)),
    ]  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=1_700, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    card = json.loads(out.read_bytes())
    assert card["missed"] == [], ended.stdout
    assert card["false"] == [], ended.stdout
    assert {found["rule"] for found in card["found"]} == {rule.name for rule in load_rules(None)} - ELSEWHERE
    assert len(card["found"]) == len(INCIDENTS) + 2
    assert len(card["decoys"]) == len(DECOYS)
    assert card["deliveries"]["never_received"] == card["deliveries"]["received_again"] == 0
