"""The rehearsal page in a browser: a card of the folder, and a card of this computer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Page, Request, expect

from schemas.http.requests import EXAMPLES
from services.common.runtime import build_app
from services.metrics.pages import add_pages
from tests.metrics.test_rehearsals import Shelf
from tests.page.access import offences
from tests.support.waiting import until

pytestmark = pytest.mark.system

CARD = EXAMPLES["GET /api/v1/rehearsals/{name}"].answer


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """Of a server that has the pages and a folder of scorecards, and no store: these need none."""
    (tmp_path / "friday.json").write_text(json.dumps(CARD), encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    shelf = Shelf(tmp_path)
    add_pages(shelf.router)
    server = uvicorn.Server(uvicorn.Config(build_app([shelf]), port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(), name="pages")
    try:
        await until(lambda: server.started, 30)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 60)


async def test_a_rehearsal_is_shown_and_a_file_stays_on_this_computer(address: str, page: Page) -> None:
    """Catches: a page that the policy stops, keys that lead nowhere, a file that is uploaded."""
    await page.goto(f"{address}/rehearsal", timeout=60_000)
    await expect(page.locator(".figure").first).to_contain_text("100")
    await expect(page.locator("[data-mark=found].item")).to_have_count(1)
    assert "card=friday" in page.url
    assert await offences(page) == []

    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".details")).to_contain_text("Item sku-0004 is sold out")
    await page.keyboard.press("Escape")
    await expect(page.locator(".details")).to_contain_text("Choose an item")

    await page.get_by_role("button", name="中文").click()
    await expect(page.locator("h1")).to_have_text("演练")
    await expect(page.locator(".rules")).to_contain_text("商品售罄")
    await page.get_by_role("button", name="English").click()

    sent: list[str] = []

    # A bound method of a list is none that Playwright takes.
    def note(request: Request) -> None:
        sent.append(request.url)

    page.on("request", note)
    missed = {**CARD, "found": [], "missed": [{**CARD["found"][0], "note": ""}]}
    await page.locator("input[type=file]").set_input_files(
        {"name": "mine.json", "mimeType": "application/json", "buffer": json.dumps(missed).encode()}
    )
    await expect(page.locator("[data-mark=missed].item")).to_have_count(1)
    await page.locator("input[type=file]").set_input_files(
        {"name": "holiday.json", "mimeType": "application/json", "buffer": b"[1]"}
    )
    await expect(page.locator(".message")).to_contain_text("holiday.json")
    assert sent == []
