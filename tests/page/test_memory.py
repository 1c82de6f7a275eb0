"""An hour in front of the wall leaves nothing behind."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.page.festival import CAMPAIGN, Festival
from tests.page.memory import held, session_of, shown
from tests.page.recording import playing, record
from tests.page.screens import screen

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

RECORDED = 20
WARM, MORE = 60, 600
# The browser compiles code and measures itself for a while, up to a bound. A snapshot that is kept weighs 80 kB.
MOST_KEPT_BYTES = 4_096


async def test_ten_minutes_of_snapshots_leave_nothing_behind(festival: Festival, chromium: Browser) -> None:
    """Catches: listeners added on each drawing, rows that are replaced and kept, a list that grows by the second."""
    recording = record(festival.room.url, CAMPAIGN, RECORDED)
    with playing(recording) as player:
        async with screen(chromium) as page:
            # The next snapshot is waited for, so two are played.
            player.play(1, 1)
            await page.goto(player.url)
            session = await session_of(page)
            await shown(page, player.play(WARM, 100), 120)
            before = await held(session)
            await shown(page, player.play(MORE, 100), 180)
            after = await held(session)
    assert after.listeners <= before.listeners
    assert after.nodes <= before.nodes + 50
    assert after.heap - before.heap < MORE * MOST_KEPT_BYTES, f"{before} -> {after}"
