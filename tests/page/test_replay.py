"""Going back in a browser: any moment, playing it, sharing it, and never taking it for now."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.page.history import Past
from tests.page.screens import screen
from tests.support.war_room import WarRoom

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

GMV = "[data-metric=gmv]"
HTML = "html"
RIBBON = ".ribbon"
SLIDER = "[role=slider]"

# Notes each picture as it is drawn: its moment, and its number. The attribute changes last.
RECORD = """() => {
  window.frames = [];
  new MutationObserver(() => {
    const value = document.querySelector("[data-metric=gmv]").dataset.value;
    window.frames.push([document.body.dataset.rendered, value, document.documentElement.dataset.freshness]);
  }).observe(document.body, {attributes: true, attributeFilter: ["data-rendered"]});
}"""


def link(room: WarRoom, past: Past, at: datetime, **more: str) -> str:
    query = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{room.url}/?campaign={past.campaign_id}&at={at.strftime('%Y-%m-%dT%H:%M:%SZ')}{query}"


def looked_at(page: Page) -> datetime | None:
    """The moment in the address."""
    found = parse_qs(urlsplit(page.url).query).get("at")
    return None if found is None else datetime.fromisoformat(found[0].replace("Z", "+00:00"))


async def shows(page: Page, value: str, seconds: float = 20) -> None:
    await expect(page.locator(GMV)).to_have_attribute("data-value", value, timeout=seconds * 1000)


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A wall screen on which things move."""
    async with screen(chromium, still=False) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def colleague(chromium: Browser) -> AsyncIterator[Page]:
    """Another browser profile, that of someone who reads Chinese on a laptop."""
    context = await chromium.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def test_a_moment_is_what_had_happened_by_then_and_does_not_look_live(
    told_room: WarRoom, told: Past, page: Page
) -> None:
    at = told.start + timedelta(minutes=7, seconds=26)
    await page.goto(link(told_room, told, at), timeout=60_000)
    await shows(page, told.gmv(at))
    await expect(page.locator(HTML)).to_have_attribute("data-freshness", "replay")
    await expect(page.locator(RIBBON)).to_contain_text("REPLAY")
    beijing = (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    await expect(page.locator(RIBBON)).to_contain_text(beijing)
    await expect(page.locator(RIBBON)).to_contain_text("paused")
    await expect(page.locator(".clock .value")).to_have_text(beijing[11:])
    await expect(page.locator(".badge")).to_have_text("Replay")
    await expect(page.locator(".phase .value")).to_have_text("Warm-up")
    await expect(page).to_have_title(re.compile("^REPLAY"))
    size = await page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [1920, 1080]


async def test_keys_and_the_bar_lead_to_other_moments_and_back(told_room: WarRoom, told: Past, page: Page) -> None:
    at = told.start + timedelta(minutes=12)
    await page.goto(link(told_room, told, at), timeout=60_000)
    await shows(page, told.gmv(at))
    await page.locator(SLIDER).focus()
    for key, seconds in (("ArrowRight", 10), ("Shift+ArrowRight", 60), ("PageDown", -600), ("ArrowLeft", -10)):
        at += timedelta(seconds=seconds)
        await page.keyboard.press(key)
        await shows(page, told.gmv(at))
        assert looked_at(page) == at
    await page.keyboard.press("Home")
    await shows(page, "0.00")
    assert looked_at(page) == told.start

    box = await page.locator(SLIDER).bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    middle = looked_at(page)
    assert middle is not None
    assert told.start < middle < datetime.now(UTC)
    await shows(page, told.gmv(middle))

    await page.keyboard.press("l")
    await expect(page.locator(HTML)).not_to_have_attribute("data-freshness", "replay")
    await shows(page, told.gmv(datetime.now(UTC)))
    await expect(page.locator(RIBBON)).to_be_hidden()
    assert looked_at(page) is None
    # Back in the browser is back in the past: one step, however far one went there.
    await page.go_back()
    await shows(page, told.gmv(middle))


async def test_plays_evenly_through_true_numbers_and_becomes_live(told_room: WarRoom, told: Past, page: Page) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=25)
    await page.goto(link(told_room, told, at), timeout=60_000)
    await shows(page, told.gmv(at))
    await page.evaluate(RECORD)
    await page.get_by_role("button", name="300×").click()
    await page.get_by_role("button", name="Play").click()
    await expect(page.locator(RIBBON)).to_contain_text("300×")
    await expect(page.locator(HTML)).not_to_have_attribute("data-freshness", "replay")
    await shows(page, told.gmv(datetime.now(UTC)))
    assert looked_at(page) is None

    frames = [frame for frame in await page.evaluate("() => window.frames") if frame[2] == "replay"]
    moments = [datetime.fromisoformat(moment.replace("Z", "+00:00")) for moment, _, _ in frames]
    assert len(moments) >= 2
    assert moments == sorted(moments)
    assert [value for _, value, _ in frames] == [told.gmv(moment) for moment in moments]


async def test_a_link_shows_a_colleague_the_same_numbers(
    told_room: WarRoom, told: Past, page: Page, colleague: Page
) -> None:
    at = told.start + timedelta(minutes=15, seconds=4)
    await page.goto(link(told_room, told, at), timeout=60_000)
    await shows(page, told.gmv(at))
    await page.locator("[data-filter=channel][data-value=live]").first.click()
    await shows(page, told.gmv(at, "live"))
    assert told.gmv(at, "live") != told.gmv(at)

    await colleague.goto(page.url, timeout=60_000)
    await shows(colleague, told.gmv(at, "live"))
    await expect(colleague.locator(HTML)).to_have_attribute("lang", "zh-CN")
    await expect(colleague.locator(RIBBON)).to_contain_text("回放")
    both = [
        await each.evaluate(
            """() => [document.body.dataset.rendered, document.querySelector(".clock .value").textContent,
              ...[...document.querySelectorAll("[data-panel=kpis] [data-value]")].map((each) => each.dataset.value)]"""
        )
        for each in (page, colleague)
    ]
    assert both[0] == both[1]
    assert colleague.url == page.url


async def test_says_that_no_answer_comes_and_goes_on_by_itself(told_room: WarRoom, told: Past, page: Page) -> None:
    at = told.start + timedelta(minutes=5)
    await page.goto(link(told_room, told, at), timeout=60_000)
    await shows(page, told.gmv(at))

    async def refuse(route: Route) -> None:
        await route.abort()

    await page.route("**/snapshot?*", refuse)
    await page.get_by_role("button", name="10×", exact=True).click()
    await page.get_by_role("button", name="Play").click()
    await expect(page.locator(RIBBON)).to_contain_text("No answer from the server")
    stands = looked_at(page)
    assert stands is not None
    await shows(page, told.gmv(stands))

    await page.unroute("**/snapshot?*")
    await expect(page.locator(RIBBON)).not_to_contain_text("No answer")
    await page.wait_for_function(
        "before => Date.parse(document.body.dataset.rendered) > before", arg=stands.timestamp() * 1000, timeout=60_000
    )
    # Of the key that does the same: it works wherever the focus is on nothing that it presses.
    await page.locator(SLIDER).press("Space")
    await expect(page.locator(RIBBON)).to_contain_text("paused")


async def test_says_why_a_moment_cannot_be_shown(told_room: WarRoom, told: Past, page: Page) -> None:
    await page.goto(link(told_room, told, told.start - timedelta(hours=1)), timeout=60_000)
    await expect(page.locator(RIBBON)).to_contain_text("before the campaign's start")
    await expect(page.locator(".message")).to_contain_text("before the campaign's start")
    await page.keyboard.press("l")
    await shows(page, told.gmv(datetime.now(UTC)))
