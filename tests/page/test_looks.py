"""What each state of the page looks like: pictures for people, and what a machine can see to be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.page.access import offences
from tests.page.festival import CAMPAIGN, Festival
from tests.page.layout import empty_panels, layout_defects
from tests.page.screens import screen, show
from tests.page.states import STATES, State, enter

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

# Every text of a digit's worth that ticks, with the width that it had in a frame.
WIDTHS = """(selector) => new Promise((resolve) => {
  const seen = {};
  const until = performance.now() + 4000;
  const look = () => {
    document.querySelectorAll(selector).forEach((element, index) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      const shape = `${index} ${element.textContent.replace(/\\d/g, "0")}`;
      (seen[shape] ??= new Set()).add(range.getBoundingClientRect().width.toFixed(1));
    });
    if (performance.now() < until) requestAnimationFrame(look);
    else resolve(Object.entries(seen).map(([shape, widths]) => [shape, [...widths]]));
  };
  look();
})"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: $SCREENSHOTS, else the run's own directory."""
    asked = os.environ.get("SCREENSHOTS")
    directory = Path(asked) if asked else tmp_path_factory.mktemp("screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
async def test_nothing_looks_wrong(festival: Festival, chromium: Browser, pictures: Path, state: State) -> None:
    """Catches: labels that are cut, panels that leave the screen, an empty box; words too faint for their ground, a
    button without a name; in any state that has a picture."""
    festival.wait_for_alert()
    async with screen(chromium, state.size) as page:
        await enter(page, festival, state)
        await page.screenshot(path=pictures / f"{state.name}.png", full_page=not state.wall)
        wrong = await layout_defects(page, wall=state.wall)
        if state.rich:
            wrong += [f"nothing to see: {name}" for name in await empty_panels(page)]
        if state.read_aloud:
            wrong += await offences(page)
    assert not wrong, "\n".join(wrong)


async def test_figures_keep_their_width_while_they_tick(festival: Festival, chromium: Browser) -> None:
    """Catches: proportional digits, which make the one large number tremble sixty times a second."""
    async with screen(chromium, still=False) as page:
        await show(page, festival.url, campaign=CAMPAIGN)
        seen = await page.evaluate(WIDTHS, ".hero-whole, .hero-cents, .kpi-value")
    assert seen
    assert [(shape, widths) for shape, widths in seen if len(widths) > 1] == []
