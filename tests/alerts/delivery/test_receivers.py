"""Several receivers at work against a real store: none holds up another, limits are kept, what fails is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.receivers import Match
from services.alerts.alert import Alert, Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.routing import DELIVERY_FAILURE
from services.alerts.delivery.sinks.alertmanager import Alertmanager
from services.alerts.delivery.sinks.dingtalk import DingTalk
from services.alerts.delivery.sinks.webhook import EscalationWebhook, Webhook
from services.alerts.service import AlertsService
from services.common.clock import wall_clock
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.delivery.notices import notice
from tests.alerts.delivery.server import Received, Reply, Server, reply, serving
from tests.alerts.delivery.vendors import DingTalkVendor
from tests.alerts.delivery.work import items, made, received, receiver, running, tell, webhook
from tests.alerts.shop import Shop
from tests.support.store import fresh_campaign
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _empty_outbox(store: Store) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences"):
        store.command(f"TRUNCATE TABLE {table}")


async def test_a_dead_receiver_holds_up_nobody_else(store: Store) -> None:
    with serving(lambda _: Reply(delay=3)) as dead, serving(lambda _: Reply(204)) as well:
        async with running(store, webhook("dead", dead, timeout_seconds=2), webhook("well", well)) as (ledger, outbox):
            told = made(10, fresh_campaign("dead"))
            await tell(ledger, outbox, told)
            await until(lambda: len(well.received) == 10)
            assert len(dead.received) < 10, "each notice waited for the dead one"
            states = {state.name: state for state in outbox.states()}
            assert (states["dead"].waiting, states["dead"].health.lost) == (10, 0)
            await until(lambda: outbox.states()[1].waiting == 0)
            (moment,) = await ledger.timeline(told[0].alert.id)
            assert [(d.receiver, d.outcome, d.attempts) for d in moment.deliveries] == [("well", "delivered", 1)]


async def test_more_than_the_robot_takes_becomes_digests_with_the_worst_first(store: Store) -> None:
    vendor = DingTalkVendor()
    with serving(vendor.answer) as server:
        sink = vendor.sink(server.url)
        campaign = fresh_campaign("flood")
        calm = made(60, campaign, severity="info")
        bad = made(3, campaign, rule="payment_failure")
        async with running(store, receiver("ding", sink, language="zh")) as (ledger, outbox):
            await tell(ledger, outbox, [*calm, *bad])
            await until(lambda: outbox.states()[0].waiting == 0)
            assert all(
                [(await ledger.timeline(n.alert.id))[0].deliveries[0].outcome == "delivered" for n in calm + bad]
            )
    texts = [vendor.texts(received)[0] for received in server.received]
    # It may have five at once, and the next only after seconds.
    assert len(texts) <= 5
    assert all(answer.body == DingTalkVendor().answer(server.received[0]).body for answer in server.replies)
    assert all(f"item {n};" in "".join(texts) for n in range(60))
    assert "支付失败" in texts[0]


async def test_two_receivers_that_are_one_robot_have_one_limit(store: Store) -> None:
    vendor = DingTalkVendor()
    with serving(vendor.answer) as server:
        one, other = (receiver(name, vendor.sink(server.url)) for name in ("one", "other"))
        async with running(store, one, other) as (ledger, outbox):
            started = time.monotonic()
            for n, told in enumerate(made(5, fresh_campaign("robot"))):
                await tell(ledger, outbox, [told])
                await received(server, min(5, 2 * n + 2))
            # Each by itself would have had five at once; together they have, and one more each four seconds.
            await asyncio.sleep(1)
            assert len(server.received) <= 5 + (time.monotonic() - started) / 4


async def test_a_receiver_that_wants_to_be_left_alone_is(store: Store) -> None:
    answers = [Reply(429, headers={"Retry-After": "1"}), Reply(200)]
    at: list[float] = []

    def answer(_: Received) -> Reply:
        at.append(time.monotonic())
        return answers[min(len(at), 2) - 1]

    with serving(answer) as server:
        async with running(store, webhook("slow", server)) as (ledger, outbox):
            await tell(ledger, outbox, made(1, fresh_campaign("alone")))
            await until(lambda: outbox.states()[0].waiting == 0)
    assert len(at) == 2
    assert at[1] - at[0] >= 1.0


async def test_one_that_is_refused_does_not_take_its_digest_with_it(store: Store) -> None:
    class Small(DingTalk):
        limit = Limit(burst=1, per_minute=60_000)

    def answer(received: Received) -> Reply:
        bad = "item 1;" in received.body.decode()
        return reply(200, {"errcode": 310000 if bad else 0, "errmsg": "sensitive words"})

    with serving(answer) as server:
        async with running(store, receiver("ding", Small(server.url))) as (ledger, outbox):
            told = made(3, fresh_campaign("refused"))
            await tell(ledger, outbox, told)
            await until(lambda: outbox.states()[0].waiting == 0)
            outcomes = [(await ledger.timeline(n.alert.id))[0].deliveries[0].outcome for n in told]
    assert outcomes == ["delivered", "undelivered", "delivered"]


async def test_what_cannot_be_rendered_is_accounted_for_and_stops_nobody(store: Store) -> None:
    class Faulty(Webhook):
        def render(self, notices: Sequence[Transition], context: Any) -> Any:
            if "item 0;" in notices[0].alert.summary:
                raise KeyError("fault")
            return super().render(notices, context)

    with serving(lambda _: Reply(200)) as server:
        async with running(store, receiver("faulty", Faulty([server.url]))) as (ledger, outbox):
            told = made(2, fresh_campaign("faulty"))
            await tell(ledger, outbox, told)
            await until(lambda: outbox.states()[0].waiting == 0)
            moments = [(await ledger.timeline(n.alert.id))[0].deliveries[0].outcome for n in told]
    assert (moments, items(server)) == (["undelivered", "delivered"], ["sku-1"])


async def test_a_new_receiver_hears_nothing_of_what_was_before_it(store: Store) -> None:
    with serving(lambda _: Reply(200)) as old, serving(lambda _: Reply(200)) as new:
        campaign = fresh_campaign("new")
        before = made(3, campaign, now=wall_clock() - 120_000)
        after = made(1, campaign, "resolved", seq=2)
        async with running(store, webhook("old", old)) as (ledger, outbox):
            await tell(ledger, outbox, before)
            await until(lambda: outbox.states()[0].waiting == 0)
        async with running(store, webhook("old", old), webhook("new", new)) as (ledger, outbox):
            await tell(ledger, outbox, after)
            await until(lambda: len(old.received) == 4 and len(new.received) == 1)
            await until(lambda: all(state.waiting == 0 for state in outbox.states()))
        assert items(new) == ["sku-0"]
        # And what it has missed since it was first heard of, it does hear.
        async with running(store) as (ledger, _):
            later = made(1, campaign, rule="stock_low")
            await ledger.record(later)
        async with running(store, webhook("new", new)) as (_, outbox):
            await until(lambda: len(new.received) == 2)


async def test_the_end_of_an_alert_follows_its_escalation_and_no_other(store: Store) -> None:
    with serving(lambda _: Reply(200)) as server:
        second = receiver("second", EscalationWebhook([server.url]), escalation=True)
        campaign, now = fresh_campaign("escalated"), wall_clock()
        async with running(store, second) as (ledger, outbox):
            await tell(ledger, outbox, made(2, campaign, now=now))
            await tell(ledger, outbox, made(1, campaign, "escalated", now, seq=2))
            await until(lambda: len(server.received) == 1)
            await tell(ledger, outbox, made(2, campaign, "resolved", now, seq=3))
            await until(lambda: outbox.states()[0].waiting == 0)
    kinds = [(r.json()["alerts"][0]["labels"]["item_id"], r.json()["status"]) for r in server.received]
    assert kinds == [("sku-0", "firing"), ("sku-0", "resolved")]


async def test_who_acknowledged_is_told_after_a_restart_too(store: Store) -> None:
    async with running(store) as (ledger, _):
        told = made(1, fresh_campaign("acknowledged"), "acknowledged")
        await ledger.record(told)
        (left,) = await ledger.undelivered("anybody", 0)
    assert (left.actor, left.notice) == ("lin", "acknowledged")


async def test_alertmanager_is_told_again_of_what_is_open_and_for_a_while_of_what_is_over(store: Store) -> None:
    campaign = fresh_campaign("again")
    firing = made(3, campaign)
    opened = [one.alert for one in firing]
    with serving(lambda _: Reply(200)) as server:
        sink = Alertmanager([server.url], resend_ms=200)
        async with running(store, receiver("am", sink), standing=lambda: opened[:2]) as (ledger, outbox):
            await tell(ledger, outbox, firing[:2])
            await tell(ledger, outbox, made(1, campaign, "resolved", rule="stock_low", seq=2))
            await until(lambda: outbox.states()[0].waiting == 0 and len(server.received) >= 4)
            # What is waiting goes in one message.
            assert len(server.received[0].json()) in {1, 2, 3}
            again = server.received[-1].json()
            server.answer = lambda _: Reply(500)
            await until(lambda: outbox.states()[0].health.failing_since is not None)
            server.answer = lambda _: Reply(200)
            await until(lambda: outbox.states()[0].health.failing_since is None)
    assert sorted((a["labels"]["alertname"], a["labels"]["item_id"]) for a in again) == [
        ("stock_low", "sku-0"), ("stock_out", "sku-0"), ("stock_out", "sku-1"),
    ]  # fmt: skip


async def test_alertmanager_is_told_again_of_what_it_was_told_and_of_nothing_else(store: Store) -> None:
    fields: dict[str, Any] = {"rule": DELIVERY_FAILURE, "severity": "critical"}
    about = {name: notice(labels={"campaign_id": "*", "receiver": name}, **fields).alert for name in ("am", "other")}
    with serving(lambda _: Reply(200)) as server:
        am = receiver("am", Alertmanager([server.url], resend_ms=100), match=Match(campaign=["double-11"]))
        async with running(store, am, standing=lambda: list(about.values())):
            await received(server, 1)
    # That it cannot be told itself is no news to it; that another cannot goes to all, whatever they asked for.
    assert [alert["labels"]["receiver"] for alert in server.received[0].json()] == ["other"]


async def test_alertmanager_is_not_told_again_of_an_end_after_which_it_came_back(store: Store) -> None:
    campaign = fresh_campaign("back")
    ended = made(1, campaign, "resolved", wall_clock() - 60_000, seq=2)
    again = made(1, campaign)
    with serving(lambda _: Reply(200)) as server:
        sink = Alertmanager([server.url], resend_ms=100)
        opened: list[Alert] = []
        async with running(store, receiver("am", sink), standing=lambda: opened) as (ledger, outbox):
            await tell(ledger, outbox, ended)
            await until(lambda: len(server.received) >= 2)
            opened.append(again[0].alert)
            await tell(ledger, outbox, again)
            await until(lambda: outbox.states()[0].waiting == 0)
            told = len(server.received)
            await until(lambda: len(server.received) >= told + 3)
    starts = {alert["startsAt"] for received in server.received[told + 1 :] for alert in received.json()}
    assert len(starts) == 1


@pytest.fixture
def shop(store: Store) -> Shop:
    """A shop with stock and hardly any visitors."""
    shop = Shop(store, {})
    shop.report()
    for item in shop.items:
        shop.set_stock(item, 100, safety=10)
    return shop


@contextmanager
def receivers_file(tmp_path: Path, **servers: Server) -> Any:
    path = tmp_path / "receivers.yaml"
    rows = [f"  - {{name: {name}, type: webhook, url: '{server.url}'}}" for name, server in servers.items()]
    path.write_text("\n".join(["receivers:", *rows]))
    yield Settings(receivers_file=path)


async def test_a_receiver_that_cannot_be_told_is_an_alert_to_the_others(
    store: Store, shop: Shop, tmp_path: Path
) -> None:
    with (
        serving(lambda _: Reply(404)) as bad,
        serving(lambda _: Reply(200)) as good,
        receivers_file(tmp_path, good=good, bad=bad) as settings,
    ):
        service = AlertsService(settings, store, clock=shop.clock)
        await service.restore()
        stop = asyncio.Event()
        delivering = asyncio.create_task(service.outbox.run(stop))

        async def look(seconds: int) -> list[tuple[str, str]]:
            seen = []
            for _ in range(seconds):
                shop.now += 1000
                shop.report()
                seen += [(t.alert.rule, t.alert.state.value) for t in await service.look()]
            return seen

        def heard(server: Server) -> list[tuple[str, str]]:
            bodies = [received.json() for received in server.received]
            return [(body["alerts"][0]["labels"]["alertname"], body["status"]) for body in bodies]

        try:
            shop.set_stock("sku-1", 0, safety=10)
            told = await look(4)
            await until(lambda: all(state.waiting == 0 for state in service.outbox.states()))
            told += await look(1)
            assert told == [("stock_out", "firing"), ("delivery_failure", "firing")]
            await until(lambda: len(good.received) == 2)
            assert heard(good) == [("stock_out", "firing"), ("delivery_failure", "firing")]
            transport = httpx.ASGITransport(build_app([service]))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                (row,) = (await client.get("/api/v1/alerts", params={"campaign_id": "*"})).json()["rows"]
                assert (row["rule"], row["labels"]) == ("delivery_failure", {"campaign_id": "*", "receiver": "bad"})
                assert row["evidence"]["last_answer"] == "HTTP 404"
                rows = (await client.get("/api/v1/alerts", params={"state": "firing"})).json()["rows"]
                (sold_out,) = [row for row in rows if row["rule"] == "stock_out"]
                _, moment = (await client.get(f"/api/v1/alerts/{sold_out['id']}")).json()["timeline"]
            assert moment["delivery"] == "undelivered"
            assert {d["receiver"]: d["outcome"] for d in moment["deliveries"]} == {
                "good": "delivered",
                "bad": "undelivered",
            }
            bad.answer = lambda _: Reply(200)
            shop.set_stock("sku-1", 50, safety=10)
            told = await look(8)
            await until(lambda: all(state.waiting == 0 for state in service.outbox.states()))
            told += await look(1)
            assert told == [("stock_out", "resolved"), ("delivery_failure", "resolved")]
            await until(lambda: len(good.received) == 4)
            assert heard(good)[2:] == [("stock_out", "resolved"), ("delivery_failure", "resolved")]
            assert "delivery_failure" not in [rule for rule, _ in heard(bad)]
        finally:
            stop.set()
            await asyncio.wait_for(delivering, 60)
