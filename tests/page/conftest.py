"""A real browser in front of a real war room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, async_playwright

from scripts.screenshot import CHROMIUM_ARGUMENTS, ScreenshotError, find_chromium
from tests.support.war_room import WarRoom, war_room_in

WALL = ViewportSize(width=1920, height=1080)


@pytest.fixture
def war_room(tmp_path: Path) -> Iterator[WarRoom]:
    """An empty embedded system that is ready."""
    with war_room_in(tmp_path / "warroom") as room:
        room.start()
        yield room


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """An English wall screen. What its console complains of is an error: the page's policy speaks there."""
    try:
        chromium = find_chromium()
    except ScreenshotError as error:
        # A machine may be unable to get a browser at all; what the run then leaves out stands in its summary.
        pytest.skip(f"NOT TESTED, the page in a browser: {error}")
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        try:
            page = await browser.new_page(viewport=WALL, locale="en-GB")
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda message: complaints.append(message.text) if "Content Security" in message.text else None,
            )
            yield page
        finally:
            await browser.close()
    assert not complaints
