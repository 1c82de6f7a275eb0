"""Rehearses festivals by the command, each variant in a process of its own, and takes the figures of its scorecard."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.bench.report import Figure

FOUND_TARGET = 0.95
FALSE_TARGET = 1.0
DELAY_TARGET = 10.0
VARIANTS = ("full", "calm", "flash")
_COLUMN = "real path"
_LONGEST_SECONDS = 12 * 3600

Say = Callable[[str], None]
Cards = Mapping[str, Mapping[str, Any]]


def measure_rehearsal(seeds: int, hours: float, say: Say, *, rate: float = 15.0) -> tuple[list[Figure], dict[str, Any]]:
    """The figures and the scorecards. Raises `subprocess.CalledProcessError` when a rehearsal cannot be run."""
    cards: dict[str, Any] = {}
    for variant in VARIANTS:
        say(f"rehearsal, {variant}: {seeds} festivals of {hours:g} h ...")
        cards[variant] = _rehearse(variant, seeds, hours, rate)
        told = cards[variant]["totals"]
        say(f"rehearsal, {variant}: {told['found']} of {told['injected']} found, {told['false_pages']} false pages")
    return figures(cards), cards


def figures(cards: Cards) -> list[Figure]:
    """Of the festivals with incidents what was found, of the others that nobody was paged."""
    told = cards["full"]["totals"]
    shape = cards["full"]["rehearsed"]
    note = f"{shape['seeds']} festivals of {shape['hours']:g} h, {shape['events_per_second']:g} events/s each"
    found, delay = told["found_share"], told["delay_median_seconds"]
    result = [
        Figure(_COLUMN, "incidents found", None if found is None else round(found, 3), "", FOUND_TARGET, note=note),
        Figure(
            _COLUMN,
            "false pages a festival",
            round(told["false_pages_per_festival"], 2),
            "",
            FALSE_TARGET,
            at_most=True,
        ),
        Figure(_COLUMN, "delay of a page, median", delay, "s of event time", DELAY_TARGET, at_most=True),
        Figure(_COLUMN, "delay of a page, p90", told["delay_p90_seconds"], "s of event time"),
        Figure(_COLUMN, "speed of a rehearsal", told["times_real_speed"], "times real speed"),
        Figure(_COLUMN, "festival hours an hour", told["festival_hours_per_hour"]),
    ]
    for variant, what in (("calm", "a calm day"), ("flash", "a planned sale")):
        pages = cards[variant]["totals"]["false_pages"]
        result.append(Figure(_COLUMN, f"pages on {what}", pages, "", 0, at_most=True))
    return result


def _rehearse(variant: str, seeds: int, hours: float, rate: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory:
        out = Path(directory) / "scorecard.json"
        command = [
            str(Path(sys.executable).with_name("warroom")), "rehearse", "--variant", variant, "--seeds", str(seeds),
            "--hours", str(hours), "--rate", str(rate), "--out", str(out),
        ]  # fmt: skip
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
        subprocess.run(command, env=clean, check=True, timeout=_LONGEST_SECONDS, stdout=subprocess.DEVNULL)
        return msgspec.json.decode(out.read_bytes(), type=dict[str, Any])
