"""The report in a browser: readable by everybody in either theme, on a phone and on paper."""

from __future__ import annotations

import pytest
from playwright.async_api import async_playwright

from scripts.screenshot import CHROMIUM_ARGUMENTS, find_chromium
from tests.page.access import offences
from tests.review.conftest import Desk, tell

pytestmark = pytest.mark.system

A4 = 703
"""The width of the paper within its margins, in CSS pixels."""


async def test_everybody_can_read_it(desk: Desk) -> None:
    told = await tell(desk)
    html = (await desk.client.get(told.path, params={"lang": "zh"})).text
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        try:
            for scheme in ("light", "dark"):
                # The policy lets no script in, not even the one that judges.
                context = await browser.new_context(bypass_csp=True, color_scheme=scheme)
                page = await context.new_page()
                await page.set_content(html)
                assert await offences(page) == [], scheme
                await context.close()
            for width, medium in ((1440, "screen"), (390, "screen"), (A4, "print")):
                page = await browser.new_page(viewport={"width": width, "height": 900})
                page.on("console", lambda message: complaints.append(message.text))
                await page.emulate_media(media="print" if medium == "print" else "screen")
                await page.set_content(html)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, (width, medium)
                # Our own style sheet is let in.
                assert await page.evaluate("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
        finally:
            await browser.close()
    assert complaints == []
