"""When receivers, the store or an instance fail: nothing is lost untried, told twice, or told to the wrong one."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from services.alerts.alert import Transition
from services.alerts.delivery.sinks.webhook import EscalationWebhook
from services.alerts.ledger import Ledger
from services.alerts.service import AlertsService
from services.common.clock import wall_clock
from services.common.errors import StoreUnavailable
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.delivery.server import Received, Reply, serving
from tests.alerts.delivery.work import items, made, received, receiver, running, tell, webhook
from tests.alerts.shop import Shop
from tests.support.store import fresh_campaign
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _empty_outbox(store: Store) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences"):
        store.command(f"TRUNCATE TABLE {table}")


async def test_one_that_the_receiver_fails_at_neither_holds_up_the_others_nor_takes_them_with_it(store: Store) -> None:
    def answer(received: Received) -> Reply:
        return Reply(500 if "item 0;" in received.body.decode() else 200)

    with serving(answer) as server:
        async with running(store, webhook("own", server), give_up_ms=1_500) as (ledger, outbox):
            told = made(3, fresh_campaign("poison"))
            await tell(ledger, outbox, told)
            await until(lambda: outbox.states()[0].waiting == 0)
            found = [(await ledger.timeline(n.alert.id))[0].deliveries[0] for n in told]
    assert [d.outcome for d in found] == ["undelivered", "delivered", "delivered"]
    assert found[0].attempts > 3


async def test_what_is_open_still_is_told_however_long_the_receiver_was_away(store: Store) -> None:
    (firing,) = made(1, fresh_campaign("away"))
    (over,) = made(1, firing.alert.campaign_id, rule="stock_low")
    with serving(lambda _: Reply(500)) as server:
        opened = [firing.alert]
        async with running(store, webhook("own", server), standing=lambda: opened, give_up_ms=0) as (ledger, outbox):
            await tell(ledger, outbox, [firing, over])
            await until(lambda: outbox.states()[0].waiting == 1)
            server.answer = lambda _: Reply(200)
            await until(lambda: outbox.states()[0].waiting == 0)
            found = [(await ledger.timeline(n.alert.id))[0].deliveries[0].outcome for n in (firing, over)]
    assert found == ["delivered", "undelivered"]


async def test_a_message_that_arrives_while_the_store_is_read_is_not_sent_again(store: Store) -> None:
    class Slow(Ledger):
        async def undelivered(self, receiver: str, since: int) -> list[Transition]:
            found = await super().undelivered(receiver, since)
            if found:
                answered.set()
                await until(lambda: outbox.states()[0].health.tried)
            return found

    answered = threading.Event()

    def answer(_: Received) -> Reply:
        answered.wait(30)
        return Reply(200)

    with serving(answer) as server:
        async with running(store, webhook("own", server), ledger_type=Slow) as (ledger, outbox):
            await tell(ledger, outbox, made(1, fresh_campaign("twice")))
            await until(lambda: len(server.received) == 1)
            # As after an insert of which nobody knows whether it took place.
            outbox.drop()
            await outbox.load()
            assert outbox.states()[0].waiting == 0


async def test_without_the_store_no_end_goes_to_whom_nothing_was_told(store: Store) -> None:
    class Deaf(Ledger):
        asked = 0

        async def was_told(self, alert_id: str, receiver: str) -> bool:
            type(self).asked += 1
            if self.asked == 1:
                raise StoreUnavailable("not now")
            return await super().was_told(alert_id, receiver)

    with serving(lambda _: Reply(200)) as server:
        second = receiver("second", EscalationWebhook([server.url]), escalation=True)
        async with running(store, second, ledger_type=Deaf) as (ledger, outbox):
            await tell(ledger, outbox, made(1, fresh_campaign("unheard"), "resolved"))
            await until(lambda: outbox.states()[0].waiting == 0)
        assert (server.received, Deaf.asked) == ([], 2)


async def test_one_that_is_new_and_has_too_much_to_hear_hears_nothing_of_what_was_before_it(store: Store) -> None:
    campaign, now = fresh_campaign("overflow"), wall_clock()
    with serving(lambda _: Reply(200)) as server:
        async with running(store, webhook("new", server), capacity=1) as (ledger, outbox):
            await ledger.record(made(1, campaign, now=now - 3_600_000, rule="stock_low"))
            await tell(ledger, outbox, made(3, campaign, now=now + 1000))
            await received(server, 3)
    # They are of one moment: which of them the store names first does not matter.
    assert sorted(items(server)) == ["sku-0", "sku-1", "sku-2"]


@pytest.fixture
def shop(store: Store) -> Shop:
    """A shop with stock and hardly any visitors."""
    shop = Shop(store, {})
    shop.report()
    for item in shop.items:
        shop.set_stock(item, 100, safety=10)
    return shop


async def test_one_that_stands_by_says_nothing_of_receivers_that_it_does_not_tell(store: Store, shop: Shop) -> None:
    def failing() -> float | None:
        return REGISTRY.get_sample_value("warroom_alert_receivers_failing", {"type": "webhook"})

    with serving(lambda _: Reply(503)) as server:
        service = AlertsService(Settings(alert_webhook_url=SecretStr(server.url)), store, clock=shop.clock)
        await service.restore()
        stop = asyncio.Event()
        delivering = asyncio.create_task(service.outbox.run(stop))
        try:
            await tell(service.ledger, service.outbox, made(1, shop.campaign))
            await until(lambda: service.outbox.states()[0].health.tried)
            assert failing() == 1
            await service._stand_by()
            assert failing() == 0
        finally:
            stop.set()
            await asyncio.wait_for(delivering, 60)


async def test_an_alert_of_before_a_receiver_does_not_wait_for_it(store: Store, shop: Shop) -> None:
    (told,) = made(1, shop.campaign, now=shop.now - 3_600_000)
    with serving(lambda _: Reply(200)) as server:
        service = AlertsService(Settings(alert_webhook_url=SecretStr(server.url)), store, clock=shop.clock)
        await service.ledger.record([told])
        transport = httpx.ASGITransport(build_app([service]))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            async def delivery() -> object:
                _, moment = (await client.get(f"/api/v1/alerts/{told.alert.id}")).json()["timeline"]
                return moment["delivery"]

            assert await delivery() == "waiting"
            await service.restore()
            assert await delivery() is None
