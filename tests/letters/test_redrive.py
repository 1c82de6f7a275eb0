"""Letters go back to their topics once, by the real broker, store and ingest."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from decimal import Decimal

import pytest

from services.common.errors import BrokerError, InvalidRequest, NotFound
from services.common.letters import Fix, Letter, Outcome, Place, Request, Selection
from services.common.letters.transaction import HEADER, Dispatch, Message, Superseded
from services.common.store import Store
from tests.ingest.harness import order, record, running, settings_for, traffic
from tests.letters.desk import Desk, carry, desk_of, read
from tests.support.broker import Broker
from tests.support.store import fresh_campaign
from tests.support.waiting import until


async def test_the_same_bytes_after_a_fix_of_the_settings(broker: Broker, store: Store) -> None:
    campaign = fresh_campaign("redrive")
    settings = settings_for(broker)
    sent = [record("orders", order(campaign, currency="USD", value="10")) for _ in range(5)]
    await carry(settings, store, sent)
    async with desk_of(settings, store) as desk:
        letters = await desk.letters()
        assert [letter.reason for letter in letters] == ["unsupported_currency"] * 5
        results = await desk.redrive(*letters)
        assert {(each.outcome, each.destination) for each in results} == {(Outcome.REFUSED, None)}
    fixed = settings.model_copy(update={"currency_rates": {"USD": Decimal("7.1")}})
    async with desk_of(fixed, store) as desk:
        dry = await desk.redriver.redrive(Request(selection=Selection(topic=settings.topics["orders"]), dry_run=True))
        assert {each.outcome for each in dry.results} == {Outcome.ACCEPTABLE}
        assert len(await read(settings, "orders")) == 5
        results = await desk.redrive(*letters)
        assert {each.outcome for each in results} == {Outcome.SENT}
        again = await desk.redrive(*letters)
        assert [(each.outcome, each.destination) for each in again] == [
            (Outcome.ALREADY, each.destination) for each in results
        ]
        # What was sent back is told apart.
        assert await desk.letters(redriven=False) == []
        assert [each.redriven_to for each in await desk.letters(redriven=True)] == [each.destination for each in again]
    records = {Place(each.topic, each.partition, each.offset): each for each in await read(settings, "orders")}
    assert len(records) == 10
    for result in results:
        assert result.destination is not None
        first, second = records[result.letter.place], records[result.destination]
        assert (second.key, second.value, second.partition) == (first.key, first.value, first.partition)
        assert second.headers == ((HEADER, str(result.letter.place).encode()),)
    async with running(fixed, store):
        await until(lambda: _paid(store, campaign) == [Decimal("71.00")] * 5)


def _paid(store: Store, campaign: str) -> list[Decimal]:
    rows = store.query("SELECT value FROM order_events WHERE campaign_id = {c:String}", {"c": campaign})
    return [row["value"] for row in rows]


async def test_a_record_put_right_keeps_its_key_and_all_that_was_not_named(broker: Broker, store: Store) -> None:
    campaign = fresh_campaign("redrive")
    settings = settings_for(broker, topic_partitions=1)
    wrong = order(campaign, currency="yuan", value="12.30", items=[{"item_id": "i", "quantity": 1, "price": "12.3"}])
    text = json.dumps(wrong).encode().replace(b"{", b'{"n": 1.10000000000000000000000009, ', 1)
    await carry(settings, store, [("orders", b"\xffkey", text), ("orders", None, b"not json")])
    async with desk_of(settings, store) as desk:
        first, second = await desk.letters()
        assert first.detail.startswith("currency")
        (result,) = await desk.redrive(first, fix=Fix(fields={"currency": b'"CNY"', "items[0].quantity": b"2"}))
        assert result.outcome is Outcome.SENT
        with pytest.raises(InvalidRequest, match="--file"):
            await desk.redrive(second, fix=Fix(fields={"currency": b'"CNY"'}))
        (result,) = await desk.redrive(second, fix=Fix(json.dumps(traffic(campaign)).encode()))
        assert result.outcome is Outcome.REFUSED
        (result,) = await desk.redrive(second, fix=Fix(json.dumps(order(campaign)).encode()))
        assert result.outcome is Outcome.SENT
    *_, third, fourth = await read(settings, "orders")
    assert third.key == b"\xffkey"
    assert b'"n":1.10000000000000000000000009' in third.value
    assert json.loads(third.value) == {
        "n": 1.1,
        **wrong,
        "currency": "CNY",
        "items": [{"item_id": "i", "quantity": 2, "price": "12.3"}],
    }
    assert fourth.key is None


async def test_refused_again_it_is_a_letter_of_its_own(broker: Broker, store: Store) -> None:
    campaign = fresh_campaign("redrive")
    settings = settings_for(broker, topic_partitions=1)
    await carry(settings, store, [record("orders", order(campaign, value="-1"))])
    async with desk_of(settings, store) as desk:
        (first,) = await desk.letters()
        (result,) = await desk.redrive(first, force=True)
        assert result.outcome is Outcome.SENT
        async with running(settings, store):
            await until(lambda: _refused(store, settings.topics["orders"]) == 2)
        _, second = await desk.letters()
        assert second.place == result.destination
        assert (second.reason, second.redriven_at) == (first.reason, None)
        (result,) = await desk.redrive(second, fix=Fix(fields={"value": b'"1"'}))
        assert result.outcome is Outcome.SENT
    async with running(settings, store):
        await until(lambda: _paid(store, campaign) == [Decimal("1.00")])


def _refused(store: Store, topic: str) -> int:
    (row,) = store.query("SELECT count() AS n FROM dead_letters WHERE topic = {t:String}", {"t": topic})
    return int(row["n"])


class _Cut(Dispatch):
    """A sender that is killed at a step: no tidying up either, as after kill -9."""

    step = ""

    async def commit(self, batch: str) -> None:
        if batch != "none" and self.step == "before":
            raise asyncio.CancelledError
        await super().commit(batch)
        if batch != "none" and self.step == "after":
            raise asyncio.CancelledError

    async def close(self) -> None:
        if not self.step:
            await super().close()
            return
        # Its connections end, its transaction stays open.
        self._in_transaction = False
        await super().close()


@pytest.mark.parametrize("step", ["before", "after"])
async def test_killed_around_the_commit(broker: Broker, store: Store, step: str) -> None:
    campaign = fresh_campaign("redrive")
    settings = settings_for(broker, currency_rates={"USD": Decimal(7)})
    refusing = settings.model_copy(update={"currency_rates": {}})
    await carry(refusing, store, [record("orders", order(campaign, currency="USD")) for _ in range(20)])
    cut = type("_CutHere", (_Cut,), {"step": step})
    async with desk_of(settings, store, cut) as desk:
        letters = await desk.letters()
        with pytest.raises(asyncio.CancelledError):
            await desk.redrive(*letters)
    async with desk_of(settings, store) as desk:
        results = await desk.redrive(*letters)
        assert {each.outcome for each in results} == {Outcome.SENT if step == "before" else Outcome.ALREADY}
    back = [each for each in await read(settings, "orders") if each.headers]
    assert Counter(dict(each.headers)[HEADER].decode() for each in back) == Counter(
        {str(letter.place): 1 for letter in letters}
    )
    assert {(str(each.letter.place), each.destination) for each in results} == {
        (dict(each.headers)[HEADER].decode(), Place(each.topic, each.partition, each.offset)) for each in back
    }


async def _patiently(desk: Desk, letter: Letter) -> Outcome:
    # The latest wins: two who come back at once would take the right from each other for ever.
    for attempt in range(20):
        try:
            (result,) = await desk.redrive(letter)
        except Superseded:
            await asyncio.sleep(random.uniform(0, min(8.0, 0.2 * 2**attempt)))
        else:
            return result.outcome
    raise AssertionError("superseded twenty times")


async def test_two_at_a_time(broker: Broker, store: Store) -> None:
    campaign = fresh_campaign("redrive")
    settings = settings_for(broker, currency_rates={"USD": Decimal(7)})
    refusing = settings.model_copy(update={"currency_rates": {}})
    await carry(refusing, store, [record("orders", order(campaign, currency="USD")) for _ in range(60)])

    async def operator(letters: list[Letter]) -> int:
        async with desk_of(settings, store) as desk:
            return sum([await _patiently(desk, letter) is Outcome.SENT for letter in letters])

    async with desk_of(settings, store) as desk:
        letters = await desk.letters()
    first, second = letters[:4], letters[3:1:-1] + letters[:1]
    async with asyncio.timeout(120):
        told = await asyncio.gather(operator(first), operator(second))
    back = [each for each in await read(settings, "orders") if each.headers]
    assert Counter(dict(each.headers)[HEADER].decode() for each in back) == Counter(
        {str(letter.place): 1 for letter in first}
    )
    assert sum(told) <= len(first)


async def test_whoever_lost_the_right_sends_nothing_any_more(broker: Broker, store: Store) -> None:
    settings = settings_for(broker, topic_partitions=1)
    await carry(settings, store, [("orders", b"k", b"{")])
    async with desk_of(settings, store) as desk:
        (letter,) = await desk.letters()
    sleeper, other = Dispatch(settings), Dispatch(settings)
    try:
        await sleeper.open()
        await sleeper.send([Message(letter.place, b"k", b"late")])
        await other.open()
        with pytest.raises(Superseded):
            await sleeper.commit("late")
        await other.commit("other")
    finally:
        await sleeper.close()
        await other.close()
    assert [each.value for each in await read(settings, "orders")] == [b"{"]


async def test_what_cannot_be_sent_says_why(broker: Broker, store: Store) -> None:
    settings = settings_for(broker, topic_partitions=1)
    await carry(settings, store, [("orders", b"k", None)])
    async with desk_of(settings, store) as desk:
        (letter,) = await desk.letters()
        (result,) = await desk.redrive(letter, force=True)
        assert result.outcome is Outcome.IMPOSSIBLE
        assert "--file" in result.detail
        with pytest.raises(NotFound):
            await desk.redriver.redrive(Request(places=[Place(letter.place.topic, 0, 99)]))
        with pytest.raises(InvalidRequest):
            await desk.redriver.redrive(Request())
    elsewhere = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    async with desk_of(elsewhere, store) as desk:
        with pytest.raises(BrokerError):
            await desk.redrive(letter)
