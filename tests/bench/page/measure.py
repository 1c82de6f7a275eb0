"""The course of it: a festival in full swing for the first paint, and a recording of it for all that takes longer."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from scripts.screenshot import CHROMIUM_ARGUMENTS, ScreenshotError, find_chromium
from services.metrics.pages import PAGE
from tests.bench.page.looks import first_paint, frames, memory, weights
from tests.bench.report import Figure
from tests.bench.sharing import NotEnough
from tests.page.festival import CAMPAIGN, festival_in
from tests.page.recording import Recording, playing, record
from tests.page.screens import FOUR_K, WALL, address
from tests.support.war_room import war_room_in

WEIGHT_TARGET = 400.0
PAINT_TARGET = 1.0
GROWTH_TARGET = 1.0
RECORDED = 40
_PATIENCE_SECONDS = 300.0
_OPENED = 5
_FRAME_SECONDS = 10.0
# The page remembers a minute of arrivals, and so does the browser of its own measurements up to a bound: at fifty
# snapshots a second it takes some thousand until both are full.
_WARM = 1_800
_PARTS = 6
_MEGABYTE = 1e6
_COLUMN = "Chromium"

Say = Callable[[str], None]


def measure_page(snapshots: int, say: Say) -> tuple[list[Figure], dict[str, Any]]:
    """The figures and what they were made from. Raises `NotEnough` without a browser or a built page."""
    try:
        chromium = find_chromium()
    except ScreenshotError as error:
        raise NotEnough(str(error)) from error
    if not (PAGE / "index.html").is_file():
        raise NotEnough("the page is not built; run `make setup`")
    details = asyncio.run(_measure(chromium, snapshots, say))
    return figures(details), details


def figures(details: dict[str, Any]) -> list[Figure]:
    """The lines of the table."""
    files = details["files"]
    heaviest = ", ".join(f"{each['name'].rpartition('/')[2]} {each['gzip'] / 1000:.0f} kB" for each in files[:2])
    whole = sum(each["gzip"] for each in files) / 1000
    result = [Figure(_COLUMN, "page, compressed", round(whole, 1), "kB", WEIGHT_TARGET, at_most=True, note=heaviest)]
    for name, what in (("paint", "first paint"), ("number", "first number")):
        value = statistics.median(each[name] for each in details["opened"])
        target = PAINT_TARGET if name == "paint" else None
        result.append(Figure(_COLUMN, what, round(value, 3), "s", target, at_most=True))
    for size, found in details["frames"].items():
        note = f"{found['long_tasks']} tasks above 50 ms, the longest {found['longest_ms']:.0f} ms"
        result.append(
            Figure(_COLUMN, f"frames while ticking, {size}", round(found["per_second"], 1), "a second", note=note)
        )
    first, *rest = details["memory"]
    last = rest[-1]
    note = f"{first['heap'] / _MEGABYTE:.1f} MB after {_WARM} snapshots, {last['heap'] / _MEGABYTE:.1f} MB at the end"
    result += [
        Figure(
            _COLUMN, "growth in an hour", round((last["heap"] - first["heap"]) / _MEGABYTE, 2), "MB", GROWTH_TARGET,
            at_most=True, note=note,
        ),
        Figure(_COLUMN, "nodes more after an hour", last["nodes"] - first["nodes"], "", 0, at_most=True),
        Figure(_COLUMN, "listeners more after an hour", last["listeners"] - first["listeners"], "", 0, at_most=True),
    ]  # fmt: skip
    return result


async def _measure(chromium: str, snapshots: int, say: Say) -> dict[str, Any]:
    details: dict[str, Any] = {"files": [asdict(weight) for weight in weights(PAGE)]}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        try:
            recording, details["opened"] = await _festival(browser)
            say("page: opened, and recorded")
            # From here on nothing else runs on the machine.
            with playing(recording) as player:
                details["frames"] = {
                    f"{width}x{height}": await frames(browser, player, (width, height), _FRAME_SECONDS)
                    for width, height in (WALL, FOUR_K)
                }
            say(f"page: an hour of {snapshots} snapshots ...")
            with playing(recording) as player:
                found = await memory(browser, player, snapshots, _WARM, _PARTS)
            details["memory"] = [asdict(each) for each in found]
        finally:
            await browser.close()
    return details


async def _festival(browser: Browser) -> tuple[Recording, list[dict[str, float]]]:
    with (
        tempfile.TemporaryDirectory(prefix="warroom-bench-") as directory,
        war_room_in(Path(directory) / "warroom") as room,
    ):
        room.start()
        with festival_in(room) as festival:
            festival.wait_for_alert()
            url = address(festival.url, campaign=CAMPAIGN)
            opened = [await first_paint(browser, url) for _ in range(_OPENED)]
            return record(room.url, CAMPAIGN, RECORDED, _PATIENCE_SECONDS), opened
