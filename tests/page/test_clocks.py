"""A wall whose own clock is wrong, or stops while the lid is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.page.festival import CAMPAIGN, Festival
from tests.page.screens import next_snapshot, screen, show

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

HTML = "html"
HOUR = timedelta(hours=1)
# On a busy machine a snapshot comes late; a wrong clock would show hours.
TOLERANCE = timedelta(minutes=2)

# Each state that the screen takes, and each stream that it opens.
RECORD = """
window.states = [];
window.opened = 0;
window.EventSource = class extends EventSource {
  constructor(...options) {
    super(...options);
    window.opened += 1;
  }
};
new MutationObserver(() => window.states.push(document.documentElement.dataset.freshness))
  .observe(document, {attributes: true, attributeFilter: ["data-freshness"], subtree: true});
"""


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A wall screen that remembers how it looked."""
    async with screen(chromium) as page:
        await page.add_init_script(RECORD)
        yield page


async def told_time(page: Page) -> datetime:
    """What the page's clock says."""
    date = (await page.locator(".clock .label").inner_text()).split(" ")[0]
    time = await page.locator(".clock .value").inner_text()
    return datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


async def states(page: Page) -> list[str]:
    found: list[str] = await page.evaluate("() => window.states")
    return found


@pytest.mark.parametrize("wrong", [-30 * HOUR, 5 * HOUR])
async def test_a_wrong_clock_changes_nothing(festival: Festival, page: Page, wrong: timedelta) -> None:
    await page.clock.install(time=datetime.now(UTC) + wrong)
    await show(page, festival.url, campaign=CAMPAIGN)
    assert abs(await told_time(page) - datetime.now(UTC)) < TOLERANCE
    # And set right while it runs, as by a time server: the next snapshot tells the time again.
    await page.clock.set_system_time(datetime.now(UTC))
    await next_snapshot(page)
    await expect(page.locator(HTML)).not_to_have_class("looks-stale")
    assert abs(await told_time(page) - datetime.now(UTC)) < TOLERANCE


async def test_after_a_sleep_it_looks_stale_at_once_and_recovers_by_itself(festival: Festival, page: Page) -> None:
    await page.clock.install(time=datetime.now(UTC))
    await show(page, festival.url, campaign=CAMPAIGN)
    before = await page.evaluate("() => window.opened")
    await page.evaluate("() => { window.states.length = 0; }")
    await page.clock.fast_forward(3_600_000)
    await page.wait_for_function("() => window.states.length > 0", timeout=60_000)
    assert (await states(page))[0] == "stale"
    # A connection may wake dead and not know it, so it is not waited for.
    await page.wait_for_function("before => window.opened > before", arg=before, timeout=60_000)
    await expect(page.locator(HTML)).not_to_have_class("looks-stale")
    await next_snapshot(page)
    assert abs(await told_time(page) - datetime.now(UTC)) < TOLERANCE


async def test_a_replay_sleeps_too_and_never_looks_live(festival: Festival, page: Page) -> None:
    at = (datetime.now(UTC) - HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    await page.clock.install(time=datetime.now(UTC))
    await page.goto(f"{festival.url}?campaign={CAMPAIGN}&at={at}")
    await page.wait_for_function("() => document.body.dataset.rendered !== undefined", timeout=60_000)
    shown = await page.evaluate("() => document.body.dataset.rendered")
    await page.clock.fast_forward(3_600_000)
    await page.wait_for_timeout(500)
    assert await page.evaluate("() => document.body.dataset.rendered") == shown
    assert set(await states(page)) <= {"connecting", "replay"}
