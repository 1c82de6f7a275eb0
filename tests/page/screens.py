"""A screen in front of a war room, and what must hold on every one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode, urlsplit

from playwright.async_api import Browser, Page, ViewportSize

from scripts.screenshot import SHOWS_NUMBERS, SHOWS_THE_NEXT

WALL = (1920, 1080)
FOUR_K = (3840, 2160)
LAPTOP = (1366, 768)
PHONE = (390, 844)

_PATIENCE_MS = 60_000


@asynccontextmanager
async def screen(
    browser: Browser, size: tuple[int, int] = WALL, *, still: bool = True, bypass_policy: bool = False
) -> AsyncIterator[Page]:
    """An English screen without a past.

    Raises `AssertionError` at the end when the page broke, offended its own policy, or asked anyone but the server
    that it came from. `bypass_policy` lets a test bring code of its own into the page.
    """
    context = await browser.new_context(
        viewport=ViewportSize(width=size[0], height=size[1]),
        locale="en-GB",
        reduced_motion="reduce" if still else "no-preference",
        bypass_csp=bypass_policy,
    )
    complaints: list[str] = []
    asked: set[str] = set()
    try:
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None
        )  # fmt: skip
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        yield page
        origin = urlsplit(page.url).netloc
        assert not complaints
        assert asked <= {origin, ""}, f"asked of others: {asked - {origin}}"
    finally:
        await context.close()


def address(url: str, **lens: str) -> str:
    """The page with what it is to look at."""
    return f"{url}?{urlencode(lens)}" if lens else url


async def show(page: Page, url: str, **lens: str) -> None:
    """Opens the page, and returns when it shows numbers that are live and every panel has been drawn once."""
    await page.goto(address(url, **lens), timeout=_PATIENCE_MS)
    await page.wait_for_function(SHOWS_NUMBERS, timeout=_PATIENCE_MS)
    await next_snapshot(page)


async def next_snapshot(page: Page) -> None:
    """Returns when the page has drawn another snapshot."""
    before = await page.evaluate("document.body.dataset.rendered")
    await page.wait_for_function(SHOWS_THE_NEXT, arg=before, timeout=_PATIENCE_MS)
