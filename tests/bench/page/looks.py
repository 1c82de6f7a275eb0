"""One figure of a page in a browser each."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.page.memory import Held, held, session_of, shown
from tests.page.recording import Player
from tests.page.screens import screen

_MOST_SECONDS = 60.0
_SLOWEST_PER_SECOND = 3.0
"""A page that draws fewer snapshots a second than this has stopped."""

# When the large number stands on the page for the first time, in ms since the navigation began.
_NOTE_NUMBER = """
new MutationObserver((_, observer) => {
  if (document.querySelector("[data-metric=gmv][data-value]") === null) return;
  window.firstNumber = performance.now();
  observer.disconnect();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-value"] });
"""
_PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0 && window.firstNumber !== undefined"
_PAINTS = """() => ({
  paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  number: window.firstNumber,
})"""

_FRAMES = """(seconds) => new Promise((resolve) => {
  let frames = 0;
  const long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: "longtask" });
  const began = performance.now();
  const count = (now) => {
    frames += 1;
    if (now - began < seconds * 1000) return requestAnimationFrame(count);
    observer.disconnect();
    resolve({ per_second: frames / ((now - began) / 1000), long_tasks: long.length, longest_ms: Math.max(0, ...long) });
  };
  requestAnimationFrame(count);
})"""


@dataclass(frozen=True)
class Weight:
    """A file as it is and as it travels, in bytes."""

    name: str
    plain: int
    gzip: int


def weights(directory: Path) -> list[Weight]:
    """Every built file, the heaviest first."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    found = [
        Weight(str(path.relative_to(directory)), len(data), len(gzip.compress(data)))
        for path in files
        for data in [path.read_bytes()]
    ]
    return sorted(found, key=lambda weight: -weight.gzip)


async def first_paint(browser: Browser, url: str) -> dict[str, float]:
    """Seconds until a browser that has never seen the page paints something, and until the number stands there."""
    async with screen(browser) as page:
        await page.add_init_script(_NOTE_NUMBER)
        await page.goto(url)
        await page.wait_for_function(_PAINTED, timeout=_MOST_SECONDS * 1000)
        found: dict[str, float] = await page.evaluate(_PAINTS)
    return {name: value / 1000 for name, value in found.items()}


async def frames(browser: Browser, player: Player, size: tuple[int, int], seconds: float) -> dict[str, Any]:
    """Frames a second while a snapshot comes each second and every number ticks, and the tasks above 50 ms."""
    async with screen(browser, size, still=False) as page:
        player.play(1, 1)
        await page.goto(player.url)
        await shown(page, player.play(2, 1), _MOST_SECONDS)
        player.play(round(seconds) + 1, 1)
        found: dict[str, Any] = await page.evaluate(_FRAMES, seconds)
    return found


async def memory(browser: Browser, player: Player, snapshots: int, warm: int, parts: int) -> list[Held]:
    """What the page holds after `warm` snapshots and after each of so many parts of the rest, in order."""
    async with screen(browser) as page:
        player.play(1, 1)
        await page.goto(player.url)
        session = await session_of(page)
        found = []
        for count in [warm, *[snapshots // parts] * parts]:
            await shown(page, player.play(count, 50), _MOST_SECONDS + count / _SLOWEST_PER_SECOND)
            found.append(await held(session))
    return found
