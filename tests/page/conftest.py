"""A real browser in front of a real war room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from scripts.screenshot import CHROMIUM_ARGUMENTS, ScreenshotError, find_chromium
from tests.page.festival import Festival, festival_in
from tests.page.history import Past, past_of, tell
from tests.support.war_room import WarRoom, war_room_in

# What is expected may take as long as an alert does, and the machine may be busy.
expect.set_options(timeout=60_000)

WALL = ViewportSize(width=1920, height=1080)


@pytest.fixture
def war_room(tmp_path: Path) -> Iterator[WarRoom]:
    """An empty embedded system that is ready."""
    with war_room_in(tmp_path / "warroom") as room:
        room.start()
        yield room


@pytest.fixture(scope="package")
def festival(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Festival]:
    """The one festival of these tests, in full swing. They look at it and change nothing that others look at.

    It ends with them: it takes most of a core, and other packages' tests need that.
    """
    with war_room_in(tmp_path_factory.mktemp("festival") / "warroom") as room:
        room.start()
        with festival_in(room) as running:
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """A browser for a module, whose tests are marked `asyncio(loop_scope="module")`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=list(CHROMIUM_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """An English wall screen. What its console complains of is an error: the page's policy speaks there."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=list(CHROMIUM_ARGUMENTS))
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


def _chromium() -> str:
    try:
        return find_chromium()
    except ScreenshotError as error:
        # A machine may be unable to get a browser at all; what the run then leaves out stands in its summary.
        pytest.skip(f"NOT TESTED, the page in a browser: {error}")


@pytest.fixture(scope="package")
def told() -> Past:
    """A campaign that began before the festival did, whose last order was five minutes ago."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now - timedelta(minutes=170)
    return past_of("told", "Told", start, now + timedelta(hours=2), now - timedelta(minutes=5), "10.10")


@pytest.fixture(scope="package")
def before(told: Past) -> Past:
    """A campaign of the week before, which is over."""
    start = told.start - timedelta(days=7)
    return past_of("told-before", "Told before", start, start + timedelta(hours=1), start + timedelta(hours=1), "7.07")


@pytest.fixture(scope="package")
def told_room(festival: Festival, told: Past, before: Past) -> WarRoom:
    """The festival's war room, which has counted these two campaigns as well; no test changes them."""
    tell(festival.room, (told, before))
    return festival.room
