"""The alert feed in a browser: real alerts of the real engine, and what people do about them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from playwright.async_api import Locator, Page, Request, Route, expect

from tests.support.waiting import until
from tests.support.war_room import WarRoom, war_room_in

pytestmark = pytest.mark.system

CAMPAIGN = "alerts-test"
# From the last unit being sold to the screen, on a machine that does other things, too.
SOON_MS = 60_000


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarRoom]:
    """One for all tests here: each has items of its own."""
    with war_room_in(tmp_path_factory.mktemp("alerts") / "warroom") as room:
        room.start()
        start, end = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 2))
        body = {"name": "Alerts", "start": start.isoformat(), "end": end.isoformat(), "timezone": "Asia/Shanghai"}
        answer = httpx.put(f"{room.url}/api/v1/campaigns/{CAMPAIGN}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        yield room


async def stock(room: WarRoom, item: str, available: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=room.kafka, request_timeout_ms=10_000) as producer:
        event = {
            "event_id": uuid4().hex,
            "event_name": "stock_level",
            "event_time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "campaign_id": CAMPAIGN,
            "item_id": item,
            "available": available,
        }
        await producer.send_and_wait("campaign.inventory", json.dumps(event).encode(), key=item.encode())


async def alert_of(room: WarRoom, item: str, state: str) -> dict[str, Any]:
    """The item's alert, as the API tells it once it is in that state."""
    async with httpx.AsyncClient(base_url=room.url, timeout=20) as client:

        async def found() -> dict[str, Any] | None:
            rows = (await client.get("/api/v1/alerts", params={"campaign_id": CAMPAIGN, "state": state})).json()["rows"]
            return next((row for row in rows if row["labels"].get("item_id") == item), None)

        for _ in range(int(SOON_MS / 200)):
            if (row := await found()) is not None:
                return row
            await asyncio.sleep(0.2)
    raise AssertionError(f"{item} is not {state}")


async def open_feed(page: Page, room: WarRoom, item: str = "", query: str = "") -> Locator:
    """The page, and the card of an item that has just sold out."""
    if item:
        await stock(room, item, 9)
        await stock(room, item, 0)
        await alert_of(room, item, "firing")
    await page.goto(f"{room.url}/?campaign={CAMPAIGN}{query}", timeout=60_000)
    return await card_of(page, item)


async def card_of(page: Page, item: str) -> Locator:
    card = page.locator("li.alert", has_text=item)
    if item:
        await expect(card).to_be_attached()
    return card


def count_posts(page: Page, part: str) -> list[Request]:
    """Every POST to such a path, as they are sent."""
    sent: list[Request] = []
    page.on(
        "request", lambda request: sent.append(request) if request.method == "POST" and part in request.url else None
    )
    return sent


async def give_name(page: Page, name: str) -> None:
    await page.locator(".name-dialog input").fill(name)
    await page.locator(".name-dialog .press-main").click()


async def test_by_mouse_an_alert_is_opened_taken_on_by_name_and_silenced(room: WarRoom, page: Page) -> None:
    card = await open_feed(page, room, "sku-mouse")
    posts = count_posts(page, "/ack")
    await expect(card).to_have_class("alert severity-critical state-firing")
    await expect(card.locator(".alert-mark")).to_have_text("▲")
    await expect(card.locator(".alert-state")).to_have_text("firing")

    await card.locator(".alert-open").click()
    drawer = page.locator("dialog.drawer")
    await expect(drawer.locator(".dialog-title")).to_have_text("Stock out · sku-mouse")
    await expect(drawer.locator(".drawer-summary")).to_have_text("Item sku-mouse is sold out in all warehouses")
    await expect(drawer.locator(".drawer-runbook")).to_contain_text("Offer its substitute.")
    await expect(drawer.locator(".moment-firing")).to_be_visible()
    assert "alert=" in page.url
    await drawer.locator(".drawer-close").click()
    await expect(drawer).to_be_hidden()
    assert "alert=" not in page.url

    await card.hover()
    await card.locator("[data-action=acknowledge]").click()
    # The server takes 1 to 128 characters, and so does the page.
    await give_name(page, "  ")
    await expect(page.locator(".name-dialog .failure")).to_have_text("A name has 1 to 128 characters.")
    assert posts == []
    await give_name(page, " 李雷 ")
    await expect(card.locator(".alert-state")).to_have_text("acknowledged")
    await expect(card.locator(".alert-facts")).to_contain_text("李雷")
    assert len(posts) == 1
    told = await alert_of(room, "sku-mouse", "acknowledged")
    assert [moment["by"] for moment in timeline_of(room, told["id"]) if moment["state"] == "acknowledged"] == ["李雷"]

    # The browser keeps the name; a silence is under it, too.
    await page.reload()
    await expect(page.locator("[data-action=name]")).to_have_text("acting as 李雷")
    await card.hover()
    await card.locator("[data-action=silence]").click()
    dialog = page.locator(".silence-dialog")
    await expect(dialog.locator("input[name=span]:checked")).to_have_value("1h")
    await dialog.locator("input[value='4h']").check()
    await dialog.locator("input[value=campaign_id]").uncheck()
    await dialog.locator("textarea").fill("sold out on purpose")
    await dialog.locator(".press-main").click()
    await expect(dialog).to_be_hidden()
    (silence,) = [row for row in silences(room) if row["comment"] == "sold out on purpose"]
    assert silence["matchers"] == {"rule": "stock_out", "item_id": "sku-mouse"}
    assert silence["by"] == "李雷"
    ends_in = datetime.fromisoformat(silence["ends_at"]) - datetime.fromisoformat(silence["created_at"])
    assert abs(ends_in - timedelta(hours=4)) < timedelta(minutes=2)
    await expect(card.locator(".alert-facts")).to_contain_text("silenced")

    await page.locator("[data-action=silences]").click()
    row = page.locator(".silence", has_text="sold out on purpose")
    await row.locator("button").click()
    await expect(row).to_be_hidden()
    assert next(row for row in silences(room) if row["id"] == silence["id"])["ended_by"] == "李雷"


def timeline_of(room: WarRoom, alert_id: str) -> list[dict[str, Any]]:
    moments: list[dict[str, Any]] = httpx.get(f"{room.url}/api/v1/alerts/{alert_id}", timeout=20).json()["timeline"]
    return moments


def silences(room: WarRoom) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = httpx.get(f"{room.url}/api/v1/silences", timeout=20).json()["rows"]
    return rows


async def test_by_keyboard_alone(room: WarRoom, page: Page) -> None:
    card = await open_feed(page, room, "sku-keys", "&lang=zh")
    await page.keyboard.press("j")
    for _ in range(20):
        if await card.locator(".alert-open").evaluate("it => it === document.activeElement"):
            break
        await page.keyboard.press("ArrowDown")
    await expect(card.locator(".alert-open")).to_be_focused()

    await page.keyboard.press("Enter")
    drawer = page.locator("dialog.drawer")
    await expect(drawer.locator(".dialog-title")).to_have_text("商品售罄 · sku-keys")
    await expect(drawer.locator(".drawer-summary")).to_have_text("商品 sku-keys 全仓售罄")
    for _ in range(12):
        await page.keyboard.press("Tab")
        # The browser's own controls may have their turn; the page behind has none.
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    await page.keyboard.press("Escape")
    await expect(card.locator(".alert-open")).to_be_focused()

    await page.keyboard.press("a")
    await expect(page.locator(".name-dialog input")).to_be_focused()
    await page.keyboard.type("Mei")
    await page.keyboard.press("Enter")
    await expect(card.locator(".alert-state")).to_have_text("已认领")
    # It moves down in the feed, and the focus goes with it.
    await expect(card.locator(".alert-open")).to_be_focused()

    await page.keyboard.press("s")
    await expect(page.locator(".silence-dialog input[value='1h']")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.locator(".silence-dialog")).to_be_hidden()
    (silence,) = [row for row in silences(room) if row["matchers"].get("item_id") == "sku-keys"]
    assert silence["by"] == "Mei"


async def test_what_the_server_refuses_is_said_beside_the_button(room: WarRoom, page: Page) -> None:
    """The alert ends between the press and the server: a real 409, told in words, and one request for two presses."""
    card = await open_feed(page, room, "sku-late")
    posts = count_posts(page, "/ack")
    pressed, go = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        pressed.set()
        await go.wait()
        await route.continue_()

    await page.route("**/ack", hold)
    await page.evaluate("localStorage.setItem('warroom.operator', 'Mei')")
    await page.reload()
    await card.hover()
    await card.locator("[data-action=acknowledge]").dblclick()
    await until(pressed.is_set, SOON_MS / 1000)
    await expect(card.locator(".alert-state")).to_have_text("sending…")
    await stock(room, "sku-late", 50)
    await alert_of(room, "sku-late", "resolved")
    go.set()
    await expect(card.locator(".failure")).to_have_text("It fires no more; there is nothing to acknowledge.")
    assert len(posts) == 1


async def test_nothing_is_lost_when_the_server_goes(room: WarRoom, page: Page) -> None:
    card = await open_feed(page, room, "sku-gone")
    posts = count_posts(page, "/ack")
    await page.evaluate("localStorage.setItem('warroom.operator', 'Mei')")
    await page.reload()
    await expect(card.locator(".alert-state")).to_have_text("firing")
    room.kill()
    try:
        await card.hover()
        button = card.locator("[data-action=acknowledge]")
        await button.click()
        words = "No answer from the server. Try again: it is not done twice."
        await expect(card.locator(".failure")).to_have_text(words)
        await expect(button).to_have_text("Try again")
        assert len(posts) == 1
    finally:
        # The tests that follow have the same one.
        room.start()
    await button.click()
    await expect(card.locator(".alert-state")).to_have_text("acknowledged")
    assert len(posts) == 2


async def test_the_past_cannot_be_acted_on(room: WarRoom, page: Page) -> None:
    card = await open_feed(page, room, "sku-past")
    await card.locator(".alert-open").click()
    posts = count_posts(page, "/api/v1/")
    await page.get_by_text("What could be seen then").click()
    await expect(page.locator("dialog.drawer")).to_be_hidden()
    told = await alert_of(room, "sku-past", "firing")
    at = datetime.fromisoformat(told["starts_at"])
    assert f"at={at:%Y-%m-%dT%H:%M:%S}" in page.url
    await expect(page.locator("[data-panel=alerts]")).to_have_attribute(
        "data-blocked", "This is the past: go back to now to act."
    )
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await expect(page.locator(".name-dialog")).to_be_hidden()
    assert posts == []


async def test_without_an_alerts_service_the_feed_is_read_only_and_says_so(room: WarRoom, page: Page) -> None:
    """As behind an ingress that does not route the alerts' paths."""
    await page.route("**/api/v1/silences*", lambda route: route.fulfill(status=404, body="not found"))
    card = await open_feed(page, room, "sku-read")
    words = "Read only: the alerts service cannot be reached at this address."
    await expect(page.locator("[data-panel=alerts]")).to_have_attribute("data-blocked", words)
    await expect(card.locator("[data-action=acknowledge]")).to_have_attribute("aria-disabled", "true")


async def test_a_new_critical_alert_is_told_to_those_who_listen(room: WarRoom, page: Page) -> None:
    """Told once it is new, and not for what stood there on arrival; no figures while they are hidden."""
    card = await open_feed(page, room, "sku-old", "&hide=1")
    # Until then it waits for a cause, and is news when it has waited.
    await expect(card).to_have_class("alert severity-critical state-firing")
    await page.reload()
    await expect(card).to_be_attached()
    news = page.locator(".unseen[role=status]").first
    await expect(news).to_be_empty()
    await stock(room, "sku-new", 9)
    await stock(room, "sku-new", 0)
    await expect(news).to_have_text("Critical alert: Stock out · sku-new")
    card = await card_of(page, "sku-new")
    await expect(card.locator(".alert-summary")).to_be_empty()
