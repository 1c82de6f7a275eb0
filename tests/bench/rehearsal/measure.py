"""Rehearses festivals by the command, each variant in a process of its own, and takes the figures of its scorecard."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Festivals:
    """What is rehearsed: so many at the same time, of so many events a second each; `step` and `history` as
    `warroom rehearse` takes them."""

    seeds: int = 2
    hours: float = 3.0
    rate: float = 15.0
    step: str = "5s"
    history: str = "0s"


def measure_rehearsal(festivals: Festivals, cards_in: Path | None, say: Say) -> tuple[list[Figure], dict[str, Any]]:
    """The figures and the scorecards, of which those that are in `cards_in` (`full.json` and so on) are taken as they
    are. Raises `subprocess.CalledProcessError` when a rehearsal cannot be run."""
    cards: dict[str, Any] = {}
    for variant in VARIANTS:
        kept = cards_in / f"{variant}.json" if cards_in else None
        if kept is not None and kept.exists():
            cards[variant] = msgspec.json.decode(kept.read_bytes(), type=dict[str, Any])
        else:
            say(f"rehearsal, {variant}: {festivals.seeds} festivals of {festivals.hours:g} h ...")
            cards[variant] = _rehearse(variant, festivals)
        told = cards[variant]["totals"]
        say(f"rehearsal, {variant}: {told['found']} of {told['injected']} found, {told['false_pages']} false pages")
    return figures(cards), cards


def figures(cards: Cards) -> list[Figure]:
    """Of the festivals with incidents what was found, of the others that nobody was paged."""
    told = cards["full"]["totals"]
    shape = cards["full"]["rehearsed"]
    note = (
        f"{shape['seeds']} festivals of {shape['hours']:g} h, {shape['events_per_second']:g} events/s each, "
        f"{shape['step_seconds']:g} s a step"
    )
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


def _rehearse(variant: str, festivals: Festivals) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory:
        out = Path(directory) / "scorecard.json"
        command = [
            str(Path(sys.executable).with_name("warroom")), "rehearse", "--variant", variant,
            "--seeds", str(festivals.seeds), "--hours", str(festivals.hours), "--rate", str(festivals.rate),
            "--step", festivals.step, "--history", festivals.history, "--out", str(out),
        ]  # fmt: skip
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
        subprocess.run(command, env=clean, check=True, timeout=_LONGEST_SECONDS, stdout=subprocess.DEVNULL)
        return msgspec.json.decode(out.read_bytes(), type=dict[str, Any])
