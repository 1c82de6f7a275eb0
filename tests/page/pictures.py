"""`make screenshot`: a festival of its own, and the pictures of it that the documents show."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from scripts.screenshot import CHROMIUM_ARGUMENTS, ScreenshotError, find_chromium
from tests.page.festival import Festival, festival_in
from tests.page.states import STATES, photograph
from tests.support.war_room import war_room_in

SHOWN = {
    "wall-dark": "war-room",
    "wall-zh": "war-room-zh",
    "wall-light": "war-room-light",
    "replay": "replay",
    "compare": "compare",
    "drawer": "alert",
    "stale": "stale",
    "phone": "phone",
    "review": "review",
}
"""Names of states, and of the pictures without their ending."""

TALLEST = 1600
"""Pixels: of a page that scrolls its beginning is enough."""


async def _photograph(festival: Festival, whole: Path, out: Path, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        try:
            for state in STATES:
                if state.name not in SHOWN:
                    continue
                made = await photograph(browser, festival, state, whole)
                print(f"wrote {_reduce(made, out / f'{SHOWN[state.name]}.png')}")
        finally:
            await browser.close()


def _reduce(made: Path, shown: Path) -> Path:
    """Cut and with 256 colours: a quarter of the bytes, and nobody sees it."""
    with Image.open(made) as whole:
        width, height = whole.size
        whole.crop((0, 0, width, min(height, TALLEST))).convert("RGB").quantize(256).save(shown, optimize=True)
    return shown


def main() -> int:
    """Status 1 without a browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="folder (default: %(default)s)")
    out: Path = parser.parse_args().out
    try:
        chromium = find_chromium()
    except ScreenshotError as error:
        print(f"screenshot: {error}", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="warroom-pictures-") as directory,
        war_room_in(Path(directory) / "warroom") as room,
    ):
        room.start()
        with festival_in(room) as festival:
            festival.wait_for_alert()
            whole = Path(directory) / "whole"
            whole.mkdir()
            asyncio.run(_photograph(festival, whole, out, chromium))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
