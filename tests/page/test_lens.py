"""What the page looks at: filters, the address, hidden figures, keys."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.page.orders import CAMPAIGN, send_orders
from tests.page.test_live import declare
from tests.support.war_room import WarRoom

pytestmark = pytest.mark.system

GMV = "[data-metric=gmv]"
CRUMBS = ".crumbs"
LIVE = "[data-filter=channel][data-value=live]"
TOLD = """() => {
  const told = [document.querySelector("main").innerText];
  const names = ["title", "aria-label", "aria-valuetext", "data-value"];
  for (const element of document.querySelectorAll("main *"))
    for (const name of names) told.push(element.getAttribute(name) ?? "");
  return told.join("\\n");
}"""


async def open_two_channels(page: Page, room: WarRoom) -> None:
    """Orders of 250.10 by live stream and of 100.00 by the app."""
    declare(room)
    await send_orders(room.kafka, ["250.10"], channel="live")
    await send_orders(room.kafka, ["100.00"], channel="app")
    await page.goto(f"{room.url}/", timeout=60_000)
    await expect(page.locator(GMV)).to_have_attribute("data-value", "350.10")
    await expect(page.locator(LIVE)).to_be_visible()


async def test_a_press_filters_the_whole_page_and_the_address_says_so(war_room: WarRoom, page: Page) -> None:
    await open_two_channels(page, war_room)
    await page.locator(LIVE).click()
    await expect(page.locator(GMV)).to_have_attribute("data-value", "250.10")
    await expect(page.locator(CRUMBS)).to_contain_text("Channel: Live stream")
    # The campaign too: a link must not follow the next one.
    assert "channel=live" in page.url
    assert f"campaign={CAMPAIGN}" in page.url

    # It ticks, and only for its own.
    await send_orders(war_room.kafka, ["7.00"], channel="app")
    await send_orders(war_room.kafka, ["1.05"], channel="live")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "251.15")

    await page.reload()
    await expect(page.locator(GMV)).to_have_attribute("data-value", "251.15")
    await page.go_back()
    await expect(page.locator(GMV)).to_have_attribute("data-value", "358.15")
    await expect(page.locator(CRUMBS)).to_be_hidden()
    await page.go_forward()
    await expect(page.locator(CRUMBS)).to_contain_text("Live stream")
    await page.locator(f"{CRUMBS} [data-dimension=channel]").click()
    await expect(page.locator(GMV)).to_have_attribute("data-value", "358.15")


async def test_a_filter_comes_back_with_a_server_that_was_killed(war_room: WarRoom, page: Page) -> None:
    await open_two_channels(page, war_room)
    await page.locator(LIVE).click()
    await expect(page.locator(GMV)).to_have_attribute("data-value", "250.10")
    war_room.kill()
    await expect(page.locator("html")).to_have_class("looks-stale")
    war_room.start()
    await send_orders(war_room.kafka, ["0.90"], channel="live")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "251.00")
    await expect(page.locator(CRUMBS)).to_contain_text("Live stream")


async def test_hidden_figures_are_nowhere_on_the_page(war_room: WarRoom, page: Page) -> None:
    await open_two_channels(page, war_room)
    await page.keyboard.press("h")
    await expect(page.locator(".hero-whole")).to_have_text("***")
    assert "hide=1" in page.url
    # Neither in words nor in what a pointer or a screen reader is told.
    told = await page.evaluate(TOLD)
    assert not re.search(r"\b[23]50(\.10)?\b", told), told
    await page.keyboard.press("h")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "350.10")


async def test_everything_by_keyboard(war_room: WarRoom, page: Page) -> None:
    await open_two_channels(page, war_room)
    await page.locator(LIVE).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "250.10")
    await page.keyboard.press("Escape")
    await expect(page.locator(GMV)).to_have_attribute("data-value", "350.10")
    await page.keyboard.press("g")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await page.keyboard.press("t")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.keyboard.press("?")
    await expect(page.locator("dialog[open]")).to_contain_text("快捷键")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog[open]")).to_have_count(0)
