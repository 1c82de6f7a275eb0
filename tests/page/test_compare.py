"""Two campaigns side by side in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.page.history import Past
from tests.page.screens import screen
from tests.support.war_room import WarRoom

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

COMPARE = "[data-panel=compare]"


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A wall screen."""
    async with screen(chromium) as page:
        yield page


async def value(page: Page, which: str) -> str | None:
    return await page.locator(f"[data-compare={which}]").get_attribute("data-value", timeout=60_000)


async def test_stands_side_by_side_at_the_same_elapsed_time(
    told_room: WarRoom, told: Past, before: Past, page: Page
) -> None:
    elapsed = timedelta(minutes=11, seconds=40)
    at = told.start + elapsed
    url = f"{told_room.url}/?campaign={told.campaign_id}&at={at.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    await page.goto(f"{url}&compare={before.campaign_id}", timeout=60_000)
    theirs = before.gmv(before.start + elapsed)
    await expect(page.locator("[data-compare=theirs]")).to_have_attribute("data-value", theirs)
    assert await value(page, "ours") == told.gmv(at)
    assert await value(page, "difference") == str(Decimal(told.gmv(at)) - Decimal(theirs))
    await expect(page.locator(f"{COMPARE} .compare-theirs")).to_contain_text("00:11:40 after the start")
    await expect(page.locator(f"{COMPARE} [data-panel=compare-channels]")).to_contain_text("Live stream")
    size = await page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [1920, 1080]


async def test_is_opened_filtered_and_closed_by_keys(told_room: WarRoom, told: Past, before: Past, page: Page) -> None:
    await page.goto(f"{told_room.url}/?campaign={told.campaign_id}", timeout=60_000)
    await expect(page.locator("[data-panel=hero]")).to_be_visible()
    # Until the campaigns are known there is nothing to compare with.
    await expect(page.locator("[data-action=compare]")).to_be_enabled()
    await page.keyboard.press("c")
    await page.locator(f"{COMPARE} select").select_option(before.campaign_id)
    # Live: both go on, and stay as long after their starts.
    await expect(page.locator("[data-compare=ours]")).to_have_attribute("data-value", told.gmv(told.end))
    assert f"compare={before.campaign_id}" in page.url
    await expect(page.locator("[data-panel=hero]")).to_be_hidden()

    await page.locator(f"{COMPARE} [data-filter=channel][data-value=web]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-compare=ours]")).to_have_attribute("data-value", told.gmv(told.end, "web"))

    await page.keyboard.press("h")
    await expect(page.locator("[data-compare=ours]")).to_have_text("***")
    await expect(page.locator("[data-compare=difference]")).to_have_text("***")
    await page.keyboard.press("g")
    await expect(page.locator(f"{COMPARE} h2").first).to_have_text("活动对比")
    await page.keyboard.press("Escape")
    await expect(page.locator("[data-panel=hero]")).to_be_visible()
    assert "compare=" not in page.url


async def test_says_what_it_cannot_compare(told_room: WarRoom, told: Past, page: Page) -> None:
    await page.goto(f"{told_room.url}/?campaign={told.campaign_id}&compare=nobodys", timeout=60_000)
    await expect(page.locator(f"{COMPARE} [role=status]")).to_contain_text("There is no campaign")
    await page.goto(f"{told_room.url}/?campaign={told.campaign_id}&compare={told.campaign_id}", timeout=60_000)
    await expect(page.locator(f"{COMPARE} [role=status]")).to_contain_text("with itself")
