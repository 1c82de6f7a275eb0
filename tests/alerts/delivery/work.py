"""An outbox at work on a real store, and what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from schemas.receivers import Receiver as Entry
from services.alerts.alert import Alert, Transition
from services.alerts.delivery.outbox import Outbox
from services.alerts.delivery.receiver import Receiver
from services.alerts.delivery.sinks.base import Sink
from services.alerts.delivery.sinks.webhook import Webhook
from services.alerts.delivery.worker import CAPACITY, Timing
from services.alerts.ledger import Ledger
from services.common.clock import wall_clock
from services.common.store import Store, StorePool
from tests.alerts.delivery.notices import notice
from tests.alerts.delivery.server import Server
from tests.support.waiting import until


def receiver(name: str, sink: Sink, **fields: Any) -> Receiver:
    return Receiver(Entry(name=name, type="webhook", url="http://x", **fields), sink, "http://war.room")


def webhook(name: str, server: Server, *, timeout_seconds: float = 10.0) -> Receiver:
    return receiver(name, Webhook([server.url], timeout_seconds=timeout_seconds))


def made(count: int, campaign: str, kind: str = "firing", now: int = 0, **fields: Any) -> list[Transition]:
    now = now or wall_clock()
    return [
        notice(kind, labels={"campaign_id": campaign, "item_id": f"sku-{n}"}, now=now, summary=f"item {n};", **fields)
        for n in range(count)
    ]


@asynccontextmanager
async def running(
    store: Store,
    *receivers: Receiver,
    standing: Callable[[], Sequence[Alert]] = tuple,
    give_up_ms: int = 60_000,
    capacity: int = CAPACITY,
    ledger_type: type[Ledger] = Ledger,
) -> AsyncIterator[tuple[Ledger, Outbox]]:
    pool = StorePool(store, threads=1, name="test")
    ledger = ledger_type(pool)
    outbox = Outbox(ledger, receivers, Timing(wall_clock, give_up_ms, capacity), standing)
    stop = asyncio.Event()
    await outbox.load()
    task = asyncio.create_task(outbox.run(stop))
    try:
        yield ledger, outbox
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)
        await pool.close()


async def tell(ledger: Ledger, outbox: Outbox, notices: Sequence[Transition]) -> None:
    await ledger.record(notices)
    for one in notices:
        outbox.put(one)


async def received(server: Server, count: int) -> None:
    """Returns when so many have come."""
    await until(lambda: len(server.received) >= count)


def items(server: Server) -> list[str]:
    return [received.json()["alerts"][0]["labels"]["item_id"] for received in server.received]
