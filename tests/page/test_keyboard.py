"""The page without a mouse."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.page.festival import CAMPAIGN, EMPTY, Festival
from tests.page.screens import screen, show

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

MOST_STOPS = 200

# Names every element that a person can act upon, so that it is known again after snapshots have redrawn the page.
NAME_ALL = """() => {
  const acts = "a[href], button, select, input, textarea, summary, [tabindex], [role=button], [role=slider]";
  let number = 0;
  for (const element of document.querySelectorAll(acts)) {
    if (element.tabIndex < 0 && element.matches("[tabindex]")) continue;
    if (element.disabled || !element.checkVisibility() || element.closest("dialog:not([open])")) continue;
    element.dataset.stop = String(number++);
  }
  return number;
}"""
WHERE = """() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  // A ring may be drawn around what holds the element: a picker, a card.
  const around = [element, element.parentElement, element.parentElement?.parentElement].filter(Boolean);
  const drawn = around.map((each) => getComputedStyle(each)).some(({ outlineStyle, outlineWidth, boxShadow }) =>
    (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none");
  const box = element.getBoundingClientRect();
  return {
    stop: element.dataset.stop ?? null,
    what: element.outerHTML.slice(0, 160),
    panel: (element.closest("[data-panel]")?.dataset.panel ?? element.closest("header, footer, nav")?.tagName) || "",
    ring: drawn,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


async def walk(page: Page) -> list[dict[str, object]]:
    """Where Tab leads, from the top of the page until it leaves it."""
    await page.evaluate("document.activeElement?.blur(); getSelection().collapse(document.body, 0)")
    stops: list[dict[str, object]] = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(WHERE)
        if stop is None or (stops and stop["stop"] is not None and stop["stop"] == stops[0]["stop"]):
            return stops
        stops.append(stop)
    raise AssertionError(f"Tab does not come to an end: {stops[-3:]}")


async def test_tab_reaches_everything_in_order_and_shows_where_it_is(festival: Festival, chromium: Browser) -> None:
    """Catches: what only a mouse can press, a focus that nobody sees, a trap, an order that jumps about."""
    async with screen(chromium) as page:
        await show(page, festival.url, campaign=CAMPAIGN)
        named = await page.evaluate(NAME_ALL)
        stops = await walk(page)
    assert named > 5
    reached = {stop["stop"] for stop in stops}
    assert {str(number) for number in range(named)} <= reached
    assert [stop["what"] for stop in stops if not stop["ring"]] == []
    assert [stop["what"] for stop in stops if not stop["seen"]] == []
    panels = [str(stop["panel"]) for stop in stops]
    visits = [panel for index, panel in enumerate(panels) if index == 0 or panels[index - 1] != panel]
    assert len(visits) == len(set(visits)), f"it leaves a panel and comes back: {visits}"


async def test_everything_can_be_done_by_keys(festival: Festival, chromium: Browser) -> None:
    """Catches: a key that does nothing, a filter that Enter does not press, a picker that needs a mouse."""
    async with screen(chromium) as page:
        await show(page, festival.url, campaign=CAMPAIGN)
        html = page.locator("html")

        await page.keyboard.press("g")
        await expect(html).to_have_attribute("lang", "zh-CN")
        await page.keyboard.press("g")
        await expect(html).to_have_attribute("lang", "en")
        await page.keyboard.press("t")
        await expect(html).to_have_attribute("data-theme", "light")

        gmv = page.locator("[data-metric=gmv]")
        await page.keyboard.press("h")
        await expect(gmv).not_to_contain_text("1")
        assert not any(digit.isdigit() for digit in await gmv.inner_text())
        await page.keyboard.press("h")
        await expect(page).not_to_have_url("hide=1")

        await page.locator("[data-filter=channel]").first.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**channel=**")
        await page.keyboard.press("Escape")
        await page.wait_for_function("!location.search.includes('channel=')")

        await page.keyboard.press("/")
        await expect(page.locator("select").first).to_be_focused()
        await page.keyboard.type("Spring sale")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**campaign={EMPTY}**")
