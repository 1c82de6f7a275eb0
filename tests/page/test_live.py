"""The page in a browser, in front of `warroom standalone`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.page.orders import CAMPAIGN, send_orders
from tests.support.war_room import WarRoom

pytestmark = pytest.mark.system

GMV = "[data-metric=gmv]"
NOTE = "Everything here was made up by a test."
# What the contract of the screen allows between the last number and looking stale.
STALE_MS = 3_000


def declare(room: WarRoom) -> None:
    """A campaign that runs now, with a target, a phase and a note."""
    start, end = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
    body = {
        "name": "Double Eleven",
        "start": start.isoformat(),
        "end": end.isoformat(),
        "timezone": "Asia/Shanghai",
        "phases": [{"name": "burst", "start": start.isoformat(), "end": end.isoformat()}],
        "targets": {"total": {"gmv": "1000.00"}, "phases": {"burst": {"gmv": "1000.00"}}},
        "note": NOTE,
    }
    answer = httpx.put(f"{room.url}/api/v1/campaigns/{CAMPAIGN}", json=body, timeout=10)
    assert answer.status_code == 200, answer.text


async def open_with_order(page: Page, room: WarRoom) -> None:
    """The page as it stands after a first order of 250.10."""
    declare(room)
    await send_orders(room.kafka, ["250.10"])
    await page.goto(f"{room.url}/", timeout=60_000)
    await expect(page.locator(GMV)).to_have_attribute("data-value", "250.10")


async def test_shows_what_happens_as_it_happens(war_room: WarRoom, page: Page) -> None:
    await open_with_order(page, war_room)
    await expect(page.locator("h1")).to_have_text("Double Eleven")
    await expect(page.locator(".note")).to_contain_text(NOTE)
    await expect(page.locator("[data-panel=targets]")).to_contain_text("25.0%")
    await expect(page.locator("[data-panel=channels]")).to_contain_text("Live stream")
    await expect(page.locator("[data-panel=items]")).to_contain_text("sku-1")
    await expect(page.locator("html")).to_have_attribute("data-freshness", "fresh")
    size = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [1920, 1080]

    await send_orders(war_room.kafka, ["100.05", "1.00"])
    await expect(page.locator(GMV)).to_have_attribute("data-value", "351.15")
    await expect(page.locator(f"{GMV} .hero-whole")).to_have_text("351")
    await expect(page.locator(f"{GMV} .hero-cents")).to_have_text(".15")

    await page.locator("[data-action=language]").click()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator(".hero-label")).to_have_text("成交额 GMV")
    await expect(page.locator("[data-panel=regions]")).to_contain_text("上海")
    await page.reload()
    await expect(page.locator(".hero-label")).to_have_text("成交额 GMV")


async def test_looks_stale_when_the_server_dies_and_recovers_by_itself(war_room: WarRoom, page: Page) -> None:
    await page.clock.install(time=datetime.now(UTC))
    await open_with_order(page, war_room)
    await expect(page.locator("html")).not_to_have_class("looks-stale")

    # From here on the page's time passes as it is told to: how busy the machine is says nothing about the page.
    await page.clock.pause_at(await page.evaluate("() => Date.now() + 10"))
    war_room.kill()
    await page.clock.run_for(STALE_MS)
    await expect(page.locator("html")).to_have_class("looks-stale")
    await page.clock.resume()
    await expect(page.locator("[role=alert]")).to_contain_text("No connection to the server")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "250.10")

    war_room.start()
    await send_orders(war_room.kafka, ["0.90"])
    await expect(page.locator("html")).not_to_have_class("looks-stale")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "251.00")
    await expect(page.locator("[role=alert]")).to_be_hidden()


async def test_follows_the_newest_running_campaign_until_one_is_chosen(war_room: WarRoom, page: Page) -> None:
    await page.goto(f"{war_room.url}/", timeout=60_000)
    await expect(page.locator(".message")).to_contain_text("No campaign yet")

    declare(war_room)
    await expect(page.locator("h1")).to_have_text("Double Eleven")
    await expect(page.locator("[data-panel=curve]")).to_contain_text("No event in the last 10 minutes")

    await page.locator(".picker select").select_option(CAMPAIGN)
    assert f"campaign={CAMPAIGN}" in page.url
