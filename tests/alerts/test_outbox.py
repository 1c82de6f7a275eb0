"""Delivery to a real receiver that fails, stalls and dies: every notice once, in order, or accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from schemas.receivers import Receiver as Entry
from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.delivery.outbox import Outbox
from services.alerts.delivery.payload import RECEIVER
from services.alerts.delivery.receiver import Receiver as Told
from services.alerts.delivery.sinks.webhook import Webhook
from services.alerts.delivery.worker import Timing
from services.alerts.ledger import Ledger
from services.alerts.lifecycle import Life, State
from services.common.clock import wall_clock
from services.common.store import Store, StorePool
from tests.alerts.receiver import Receiver, receiving
from tests.support.store import fresh_campaign
from tests.support.waiting import until


def notices(count: int) -> list[Transition]:
    """Pairs of firing and resolved, one alert after the other."""
    campaign, now = fresh_campaign("outbox"), wall_clock()
    made = []
    for n in range(count):
        labels = {"campaign_id": campaign, "item_id": f"sku-{n // 2}"}
        fingerprint = fingerprint_of("stock_out", labels)
        resolved = n % 2 == 1
        made.append(
            Transition(
                Alert(
                    id=alert_id(now, fingerprint),
                    rule="stock_out",
                    severity="critical",
                    campaign_id=campaign,
                    labels=labels,
                    fingerprint=fingerprint,
                    life=Life(
                        State.RESOLVED if resolved else State.FIRING,
                        now,
                        fired_at=now,
                        ends_at=now + 5 if resolved else None,
                    ),
                    value=0,
                    threshold=0,
                    summary="sold out",
                    runbook="order more",
                    starts_at=now,
                    complete_until=now,
                    seq=n % 2 + 1,
                    notified=True,
                ),
                now + n,
                notice="resolved" if resolved else "firing",
            )
        )
    return made


def undelivered() -> float:
    labels = {"type": "webhook", "outcome": "undelivered"}
    return REGISTRY.get_sample_value("warroom_alert_deliveries_total", labels) or 0


def webhook(receiver: Receiver, name: str = RECEIVER) -> Told:
    entry = Entry(name=name, type="webhook", url=receiver.url)
    return Told(entry, Webhook([receiver.url], timeout_seconds=2), "http://war.room")


@asynccontextmanager
async def running(
    store: Store, receiver: Receiver, *, give_up_ms: int = 60_000
) -> AsyncIterator[tuple[Ledger, Outbox]]:
    """An outbox at work, as it is after a start: it has taken up what is left."""
    pool = StorePool(store, threads=1, name="test")
    ledger = Ledger(pool)
    outbox = Outbox(ledger, [webhook(receiver)], Timing(wall_clock, give_up_ms=give_up_ms))
    stop = asyncio.Event()
    await outbox.load()
    task = asyncio.create_task(outbox.run(stop))
    try:
        yield ledger, outbox
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)
        await pool.close()


@pytest.fixture(autouse=True)
def _empty_outbox(store: Store) -> None:
    for table in ("alert_transitions", "alert_deliveries"):
        store.command(f"TRUNCATE TABLE {table}")


def statuses(receiver: Receiver) -> list[tuple[str, str]]:
    return [(body["alerts"][0]["labels"]["item_id"], body["status"]) for body in receiver.bodies]


def wanted(made: list[Transition]) -> list[tuple[str, str]]:
    return [(transition.alert.labels["item_id"], transition.notice) for transition in made]


async def left(ledger: Ledger) -> int:
    return len(await ledger.undelivered(RECEIVER, 0))


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(lambda n: 200, id="well"),
        pytest.param(lambda n: 500 if n % 3 else 202, id="failing"),
        pytest.param(lambda n: 4.0 if n in (1, 4) else 200, id="stalling"),
        pytest.param(lambda n: 0.0 if n in (1, 3) else 204, id="hanging up"),
        pytest.param(lambda n: 429 if n == 2 else 200, id="too many"),
    ],
)
async def test_every_notice_arrives_once_and_in_order(store: Store, behaviour: Callable[[int], int | float]) -> None:
    with receiving() as receiver:
        receiver.behaviour = behaviour
        made = notices(6)
        async with running(store, receiver) as (ledger, outbox):
            for transition in made:
                await ledger.record([transition])
                outbox.put(transition)
            await until(lambda: len(receiver.bodies) >= len(made))
        assert statuses(receiver) == wanted(made)
        async with running(store, receiver) as (ledger, _):
            assert await left(ledger) == 0


async def test_what_a_dead_process_left_is_delivered_by_the_next_one(store: Store) -> None:
    with receiving() as receiver:
        made = notices(4)
        receiver.behaviour = lambda n: 200 if n == 1 else 503
        async with running(store, receiver) as (ledger, outbox):
            await ledger.record(made)
            for transition in made:
                outbox.put(transition)
            await until(lambda: receiver.requests >= 3)
        assert statuses(receiver) == wanted(made[:1])
        receiver.behaviour = lambda _: 200
        async with running(store, receiver):
            await until(lambda: len(receiver.bodies) >= 4)
        assert statuses(receiver) == wanted(made)


async def test_a_receiver_that_never_answers_is_given_up_and_accounted_for(store: Store) -> None:
    before = undelivered()
    with receiving() as receiver:
        receiver.behaviour = lambda _: 500
        made = notices(2)
        async with running(store, receiver, give_up_ms=3_000) as (ledger, outbox):
            await ledger.record(made)
            for transition in made:
                outbox.put(transition)

            def given_up() -> bool:
                count = (
                    REGISTRY.get_sample_value(
                        "warroom_alert_deliveries_total", {"type": "webhook", "outcome": "undelivered"}
                    )
                    or 0
                )
                return count >= before + 2

            await until(given_up)
            assert receiver.requests > 2
        requests = receiver.requests
        async with running(store, receiver) as (ledger, _):
            assert await left(ledger) == 0
            moments = await ledger.timeline(made[0].alert.id)
            assert [[d.outcome for d in m.deliveries] for m in moments] == [["undelivered"], ["undelivered"]]
        assert (receiver.bodies, receiver.requests) == ([], requests)


async def test_a_notice_that_is_refused_for_good_is_not_repeated(store: Store) -> None:
    with receiving() as receiver:
        receiver.behaviour = lambda n: 400 if n == 1 else 200
        made = notices(2)
        async with running(store, receiver) as (ledger, outbox):
            await ledger.record(made)
            for transition in made:
                outbox.put(transition)
            await until(lambda: len(receiver.bodies) >= 1)
        assert (receiver.requests, statuses(receiver)) == (2, wanted(made[1:]))


async def test_more_notices_than_the_queue_holds_wait_in_the_store(store: Store) -> None:
    pool = StorePool(store, threads=1, name="test")
    ledger = Ledger(pool)
    made = notices(10)
    await ledger.record(made)
    with receiving() as receiver:
        outbox = Outbox(ledger, [webhook(receiver)], Timing(wall_clock, capacity=3))
        stop = asyncio.Event()
        for transition in made:
            outbox.put(transition)
        task = asyncio.create_task(outbox.run(stop))
        await until(lambda: len(receiver.bodies) >= 10)
        stop.set()
        await asyncio.wait_for(task, 30)
        assert statuses(receiver) == wanted(made)
    await pool.close()


async def test_the_form_is_alertmanagers(store: Store) -> None:
    with receiving() as receiver:
        made = notices(2)
        async with running(store, receiver) as (ledger, outbox):
            await ledger.record(made)
            for transition in made:
                outbox.put(transition)
            await until(lambda: len(receiver.bodies) >= 2)
    firing, resolved = receiver.bodies
    assert set(firing) == {
        "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
        "commonAnnotations", "externalURL", "alerts",
    }  # fmt: skip
    assert firing["version"] == "4"
    one, other = firing["alerts"][0], resolved["alerts"][0]
    assert set(one) == {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
    assert (
        one["labels"] == {**made[0].alert.labels, "alertname": "stock_out", "severity": "critical"} == other["labels"]
    )
    assert one["fingerprint"] == other["fingerprint"]
    assert one["startsAt"] == other["startsAt"]
    assert firing["groupKey"] == resolved["groupKey"]
    assert (one["status"], one["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (other["status"], other["endsAt"] > other["startsAt"]) == ("resolved", True)
    assert one["annotations"]["summary"] == "sold out"
    assert one["annotations"]["runbook"] == "order more"
    assert one["generatorURL"] == f"http://war.room/api/v1/alerts/{made[0].alert.id}"
