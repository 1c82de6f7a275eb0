"""The states of the page that are looked at and photographed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.page.festival import BASELINE, CAMPAIGN, EMPTY, Festival
from tests.page.screens import FOUR_K, LAPTOP, PHONE, WALL, address, screen, show

_REPLAYS = """() =>
  document.body.dataset.rendered !== undefined && document.documentElement.dataset.freshness === "replay"
"""

Act = Callable[[Page, Festival], Awaitable[None]]


async def _nothing(page: Page, festival: Festival) -> None:
    """The state is in the address."""


# A connection that stays open and brings nothing any more, as behind a switch that died.
_KEEP_STREAMS = """
window.streams = [];
window.EventSource = class extends EventSource {
  constructor(...options) {
    super(...options);
    window.streams.push(this);
  }
};
"""


async def _go_stale(page: Page, _: Festival) -> None:
    await page.evaluate("for (const stream of window.streams) stream.close()")
    await expect(page.locator("html")).to_have_class("looks-stale", timeout=60_000)


async def _open_alert(page: Page, _: Festival) -> None:
    await page.locator(".alert-open").first.click()
    await expect(page.locator("[role=dialog], dialog[open]").first).to_be_visible()
    await expect(page.locator("[role=dialog], dialog[open]").first).to_contain_text("sku-")


async def _wait_for_both(page: Page, _: Festival) -> None:
    # Both, and what lies between them.
    await expect(page.locator("[data-compare]")).to_have_text([re.compile(r"\d")] * 3, timeout=60_000)
    await expect(page.locator(".compare-status")).not_to_contain_text("Fetching", timeout=60_000)


async def _ask_for_keys(page: Page, _: Festival) -> None:
    await page.keyboard.press("?")
    await expect(page.locator("dialog[open]")).to_be_visible()


@dataclass(frozen=True)
class State:
    """One way that the page can look."""

    name: str
    size: tuple[int, int] = WALL
    lens: dict[str, str] = field(default_factory=dict)
    act: Act = _nothing
    before: str = ""
    """A script that runs before the page's own."""
    back: float = 0
    """It looks at the moment so many seconds ago."""
    path: str = ""
    rich: bool = True
    """No panel is empty."""
    read_aloud: bool = True
    """axe-core looks at it: not at what differs from another state by its size or its numbers alone."""
    live: bool = True
    """It shows a stream of snapshots."""

    @property
    def wall(self) -> bool:
        """Everything has to stand on the screen at once."""
        return not self.path and self.size != PHONE


STATES = (
    State("wall-dark"),
    State("wall-light", lens={"theme": "light"}),
    State("wall-zh", lens={"lang": "zh"}),
    State("wall-4k", FOUR_K, read_aloud=False),
    State("laptop", LAPTOP, read_aloud=False),
    State("phone", PHONE),
    State("filtered", lens={"channel": "live"}, rich=False, read_aloud=False),
    State("hidden", lens={"hide": "1"}),
    State("replay", back=1_800, rich=False),
    State("replay-phone", PHONE, back=1_800, rich=False, read_aloud=False),
    State("compare", lens={"compare": BASELINE}, act=_wait_for_both, rich=False),
    State("drawer", act=_open_alert),
    State("drawer-phone", PHONE, act=_open_alert, read_aloud=False),
    State("keys", act=_ask_for_keys),
    State("stale", before=_KEEP_STREAMS, act=_go_stale),
    State("review", path=f"campaigns/{CAMPAIGN}/review", rich=False, live=False),
    State("empty", lens={"campaign": EMPTY}, rich=False, live=False),
)


async def enter(page: Page, festival: Festival, state: State) -> None:
    """Brings the page into a state; returns when it is reached."""
    lens = state.lens if state.path else {"campaign": CAMPAIGN, **state.lens}
    if state.before:
        await page.add_init_script(state.before)
    if state.back:
        moment = datetime.now(UTC) - timedelta(seconds=state.back)
        lens["at"] = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        await page.goto(address(festival.url, **lens), timeout=60_000)
        await page.wait_for_function(_REPLAYS, timeout=60_000)
    elif state.live:
        await show(page, festival.url + state.path, **lens)
    else:
        await page.goto(address(festival.url + state.path, **lens), timeout=60_000)
        await expect(page.locator("h1, h2").first).to_be_visible(timeout=60_000)
    await state.act(page, festival)


async def photograph(browser: Browser, festival: Festival, state: State, directory: Path) -> Path:
    """Writes the picture of a state as `NAME.png`."""
    out = directory / f"{state.name}.png"
    async with screen(browser, state.size) as page:
        await enter(page, festival, state)
        await page.screenshot(path=out, full_page=not state.wall)
    return out
