"""How soon a browser that has never seen the page shows something."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Route

from scripts.screenshot import SHOWS_NUMBERS
from tests.page.festival import CAMPAIGN, Festival
from tests.page.screens import address, screen

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

PATIENCE_MS = 60_000
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"


async def test_paints_before_the_server_has_told_it_anything(festival: Festival, chromium: Browser) -> None:
    """Catches: an empty screen until the first answer. How soon it paints, in seconds, is in `make bench`."""
    painted = asyncio.Event()

    async def hold(route: Route) -> None:
        await painted.wait()
        await route.continue_()

    async with screen(chromium) as page:
        await page.route("**/api/**", hold)
        await page.goto(address(festival.url, campaign=CAMPAIGN), wait_until="commit", timeout=PATIENCE_MS)
        await page.wait_for_function(PAINTED, timeout=PATIENCE_MS)
        painted.set()
        await page.wait_for_function(SHOWS_NUMBERS, timeout=PATIENCE_MS)
