"""What can be seen to be wrong with a page without looking at it."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

_LOOK = Path(__file__).with_name("layout.js").read_text()
_EMPTY = """() => [...document.querySelectorAll("[data-panel]")].filter((panel) => {
  const line = panel.querySelector(".panel-empty");
  const says = panel.innerText.trim() !== "" || panel.querySelector("canvas, svg") !== null;
  return panel.checkVisibility() && (!says || (line !== null && line.checkVisibility()));
}).map((panel) => panel.dataset.panel)"""


async def layout_defects(page: Page, *, wall: bool) -> list[str]:
    """Texts that are cut off or lie upon one another, panels that overlap or leave the screen; `wall` allows no
    scrolling at all, other pages may scroll down."""
    found: list[str] = await page.evaluate(_LOOK, wall)
    return found


async def empty_panels(page: Page) -> list[str]:
    """Names of the panels that show nothing but the remark that there is nothing."""
    found: list[str] = await page.evaluate(_EMPTY)
    return found
