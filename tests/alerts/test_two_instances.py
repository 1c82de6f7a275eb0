"""Two instances on one store and one receiver: whichever of them dies, and when, a page comes once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pyarrow as pa
import pytest
from pydantic import SecretStr

from services.alerts.ledger import Ledger
from services.alerts.lifecycle import State
from services.alerts.service import AlertsService
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store, StorePool
from tests.alerts.delivery.notices import notice
from tests.alerts.receiver import Receiver, receiving
from tests.alerts.shop import Shop
from tests.support.waiting import until

TTL_MS = 2_000


@pytest.fixture(autouse=True)
def _nothing(store: Store) -> None:
    for table in (
        "alert_transitions", "alert_deliveries", "alert_silences", "alert_requests", "alert_leases",
        "alert_lease_renewals",
    ):  # fmt: skip
        store.command(f"TRUNCATE TABLE {table}")


class Room:
    """A shop, a receiver and the instances that watch over them. Time passes while something is awaited."""

    def __init__(self, store: Store, receiver: Receiver) -> None:
        self.shop = Shop(store, {})
        self.shop.report()
        self.shop.set_stock("sku-1", 100)
        self.receiver = receiver
        self._store = store
        self._settings = Settings(alert_webhook_url=SecretStr(receiver.url))
        self._running: dict[AlertsService, tuple[asyncio.Event, asyncio.Task[None]]] = {}

    async def start(self) -> AlertsService:
        """One more instance, once it is ready."""
        service = AlertsService(self._settings, self._store, clock=self.shop.clock, lease_ttl_ms=TTL_MS)
        stop = asyncio.Event()
        self._running[service] = (stop, asyncio.create_task(service.run(stop)))
        await self.until(lambda: service.not_ready() is None)
        return service

    async def stop(self, service: AlertsService) -> None:
        """An orderly end."""
        stop, task = self._running.pop(service)
        stop.set()
        await asyncio.wait_for(task, 20)

    async def kill(self, service: AlertsService) -> None:
        """An end in the midst of whatever it does, the lease still its own."""
        _, task = self._running.pop(service)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def close(self) -> None:
        for service in list(self._running):
            await self.kill(service)

    async def until(self, condition: Callable[[], bool]) -> None:
        def passes() -> bool:
            self.shop.now += 100
            self.shop.report()
            return condition()

        await until(passes)


@asynccontextmanager
async def open_room(store: Store) -> AsyncIterator[Room]:
    with receiving() as receiver:
        room = Room(store, receiver)
        try:
            yield room
        finally:
            await room.close()


def states(service: AlertsService) -> list[tuple[str, State]]:
    return [(alert.id, alert.state) for alert in service.engine.alerts.values()]


async def test_a_page_comes_once_whoever_dies(store: Store) -> None:
    async with open_room(store) as room:
        first, second = await room.start(), await room.start()
        assert (first.may_act(), second.may_act()) == (True, False)
        # Recorded, and not yet taken by the receiver, when the first one dies.
        room.receiver.behaviour = lambda _: 503
        room.shop.set_stock("sku-1", 0)
        await room.until(lambda: room.receiver.requests > 1)
        await room.kill(first)
        room.receiver.behaviour = lambda _: 200
        await room.until(lambda: len(room.receiver.bodies) == 1)
        assert second.may_act()
        # Another one stands by, and comes to its turn at once when the lease is given back.
        third = await room.start()
        assert not third.may_act()
        room.shop.set_stock("sku-1", 90)
        await room.stop(second)
        await room.until(lambda: len(room.receiver.bodies) == 2)
        await room.until(third.may_act)
        assert room.receiver.news == [("stock_out", "firing"), ("stock_out", "resolved")]
        assert len({body["alerts"][0]["annotations"]["alert_id"] for body in room.receiver.bodies}) == 1


async def test_what_is_recorded_while_another_takes_over_is_not_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: a page for what counts for nothing, and a second one for the same by whoever acts next."""
    overtaken: list[list[str]] = []

    def insert(table: str, rows: pa.Table, *, token: str | None = None) -> None:
        if table == "alert_transitions" and not overtaken:
            overtaken.append(rows["alert_id"].to_pylist())
            really("alert_leases", pa.table({"term": pa.array([2], pa.uint64()), "holder": ["another"]}))
        really(table, rows, token=token)

    async with open_room(store) as room:
        first = await room.start()
        really = store.insert
        monkeypatch.setattr(store, "insert", insert)
        room.shop.set_stock("sku-1", 0)
        await room.until(lambda: len(room.receiver.bodies) == 1)
        assert first.may_act()
        room.shop.set_stock("sku-1", 90)
        await room.until(lambda: len(room.receiver.bodies) == 2)
        assert room.receiver.news == [("stock_out", "firing"), ("stock_out", "resolved")]
        (told,) = {body["alerts"][0]["annotations"]["alert_id"] for body in room.receiver.bodies}
        assert overtaken
        assert [told] != overtaken[0]
        held = store.query("SELECT max(term) AS term FROM alert_leases")
        assert held == [{"term": 3}]


async def test_what_people_ask_of_the_one_that_stands_by_is_done(store: Store) -> None:
    async with open_room(store) as room:
        first, second = await room.start(), await room.start()
        transport = httpx.ASGITransport(build_app([second]))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            room.shop.set_stock("sku-1", 0)
            await room.until(lambda: len(room.receiver.bodies) == 1)
            (row,) = (await client.get("/api/v1/alerts")).json()["rows"]
            asked = asyncio.create_task(client.post(f"/api/v1/alerts/{row['id']}/ack", json={"by": "lin"}))
            await room.until(asked.done)
            assert (await asked).json()["state"] == "acknowledged"
            assert states(first) == [(row["id"], State.ACKNOWLEDGED)]
            body = {"matchers": {"item_id": "sku-2"}, "duration": "1h", "by": "lin"}
            assert (await client.post("/api/v1/silences", json=body)).status_code == 201
            await room.until(lambda: bool(first.silences.all))
            room.shop.set_stock("sku-2", 0)
            await room.until(lambda: len(first.engine.alerts) == 2)
            told = (await client.get(f"/api/v1/alerts/{row['id']}")).json()["timeline"]
            assert [(moment["state"], moment["by"]) for moment in told[-1:]] == [("acknowledged", "lin")]
            # Without anybody whose turn it is, nothing is pretended.
            room.shop.set_stock("sku-3", 0)
            # Killed between the receiver's answer and the record of it, the page would be repeated.
            await room.until(lambda: len(room.receiver.bodies) == 2 and not first.outbox.states()[0].waiting)
            await room.kill(first)
            rows = (await client.get("/api/v1/alerts?state=firing")).json()["rows"]
            third = next(row for row in rows if row["labels"]["item_id"] == "sku-3")
            asked = asyncio.create_task(client.post(f"/api/v1/alerts/{third['id']}/ack", json={"by": "lin"}))
            await room.until(asked.done)
            assert (await asked).status_code in (200, 503)
            await room.until(lambda: second.may_act() and (third["id"], State.ACKNOWLEDGED) in states(second))
        assert room.receiver.news == [("stock_out", "firing")] * 2


async def test_what_was_recorded_after_the_end_of_its_term_counts_for_nothing(store: Store) -> None:
    """An instance that was paused between its last look at the clock and the insert."""
    pool = StorePool(store, threads=1, name="test")
    ledger = Ledger(pool)
    in_time, late = notice(labels={"campaign_id": "c"}), notice(labels={"campaign_id": "d"})
    await pool.insert("alert_leases", pa.table({"term": pa.array([1], pa.uint64()), "holder": ["a"]}), token="term:1")
    await ledger.record([in_time], 1)
    await pool.insert("alert_leases", pa.table({"term": pa.array([2], pa.uint64()), "holder": ["b"]}), token="term:2")
    await ledger.record([late], 1)
    assert [alert.id for alert in await ledger.open_alerts()] == [in_time.alert.id]
    assert [told.alert.id for told in await ledger.undelivered("webhook", 0)] == [in_time.alert.id]
    # The same change, recorded by the one whose turn it is, counts.
    await ledger.record([late], 2)
    assert {alert.id for alert in await ledger.open_alerts()} == {in_time.alert.id, late.alert.id}
    await pool.close()
