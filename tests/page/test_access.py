"""Signing in at the page, by a real browser: who acts is who signed in, and who may not is offered nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.access.people import bearer, keys_in
from tests.page.test_alerts import CAMPAIGN, SOON_MS, stock
from tests.support.war_room import WarRoom, war_room_in

pytestmark = pytest.mark.system

PEOPLE = {
    "李雷": ("operator", (CAMPAIGN,)),
    "guest": ("viewer", (CAMPAIGN,)),
    "root": ("admin", ("*",)),
}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WarRoom, dict[str, str]]]:
    directory: Path = tmp_path_factory.mktemp("locked")
    keys = keys_in(directory / "keys.yaml", PEOPLE)
    with war_room_in(directory / "warroom", env={"WARROOM_API_KEYS_FILE": str(directory / "keys.yaml")}) as room:
        room.start()
        start, end = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 2))
        body = {"name": "Locked", "start": start.isoformat(), "end": end.isoformat(), "timezone": "Asia/Shanghai"}
        with httpx.Client(base_url=room.url, headers=bearer(keys["root"]), timeout=30) as root:
            for campaign in (CAMPAIGN, "hidden-12"):
                assert root.put(f"/api/v1/campaigns/{campaign}", json=body).status_code == 200
        yield room, keys


async def sign_in(page: Page, key: str) -> None:
    await page.locator("#key").fill(key)
    await page.locator("button[type=submit]").click()


async def test_sign_in_act_and_sign_out(locked: tuple[WarRoom, dict[str, str]], page: Page) -> None:
    room, keys = locked
    await stock(room, "sku-locked", 9)
    await stock(room, "sku-locked", 0)
    rows = {"campaign_id": CAMPAIGN, "state": "firing"}
    async with httpx.AsyncClient(base_url=room.url, headers=bearer(keys["guest"]), timeout=20) as client:
        for _ in range(int(SOON_MS / 200)):
            if (await client.get("/api/v1/alerts", params=rows)).json()["rows"]:
                break
            await asyncio.sleep(0.2)
        else:
            raise AssertionError("it does not fire")
    card = page.locator("li.alert", has_text="sku-locked")

    # A guest comes by a link, is asked who it is, and is shown what the link is for; there is nothing to press.
    await page.goto(f"{room.url}/?campaign={CAMPAIGN}", timeout=60_000)
    await sign_in(page, "wr_wrong")
    await expect(page.locator(".problem")).to_be_visible()
    await sign_in(page, keys["guest"])
    await expect(card).to_be_attached()
    assert f"campaign={CAMPAIGN}" in page.url
    await expect(page.locator("[data-action=name]")).to_have_text("signed in as guest")
    await card.hover()
    await expect(card.locator("[data-action=acknowledge]")).to_be_hidden()
    await expect(card.locator("[data-action=silence]")).to_be_hidden()
    assert "hidden-12" not in await page.content()
    await page.locator("[data-action=sign-out]").click()
    await expect(page.locator("#key")).to_be_visible()

    # Who signs in as an operator acts under that name without being asked for one.
    await sign_in(page, keys["李雷"])
    await expect(card).to_be_attached()
    await expect(page.locator("[data-action=name]")).to_have_text("signed in as 李雷")
    await card.hover()
    await card.locator("[data-action=acknowledge]").click()
    await expect(card.locator(".alert-state")).to_have_text("acknowledged")
    await expect(card.locator(".alert-facts")).to_contain_text("李雷")
    await page.locator("[data-action=sign-out]").click()
    await expect(page.locator("#key")).to_be_visible()
    await page.goto(f"{room.url}/", timeout=60_000)
    await expect(page.locator("#key")).to_be_visible()
    async with httpx.AsyncClient(base_url=room.url, headers=bearer(keys["root"]), timeout=30) as root:
        told = (await root.get("/api/v1/activity?action=alert.acknowledge")).json()["rows"]
    assert [(row["actor"], row["how"], row["campaign_id"]) for row in told] == [("李雷", "session", CAMPAIGN)]
