"""The activity log on a real store, and on one that fails now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pyarrow as pa
import pytest

from services.common.access import activity as module
from services.common.access.activity import SAME_REFUSAL_MS, Activity, ActivityLog, record
from services.common.errors import StoreUnavailable
from services.common.store import Store
from tests.support.store import fresh_campaign

NOW_MS = 1_794_355_230_000


class Faulty:
    """A store that fails some inserts: before they take place, or after, when only their answer is lost."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lose_answers = 0
        self.refuse = 0

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        if self.refuse:
            self.refuse -= 1
            raise StoreUnavailable("no answer")
        self._store.insert(table, rows, token=token)
        if self.lose_answers:
            self.lose_answers -= 1
            raise StoreUnavailable("the answer was lost")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@asynccontextmanager
async def running(store: Any) -> AsyncIterator[ActivityLog]:
    log = ActivityLog(store, lambda: NOW_MS)
    stop = asyncio.Event()
    task = asyncio.create_task(log.run(stop))
    await asyncio.sleep(0)
    try:
        yield log
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


def entry(campaign: str, number: int = 0, **fields: Any) -> Activity:
    return Activity(NOW_MS + number, "lin", "operator", "key", "alert.acknowledge", campaign_id=campaign, **fields)


def rows(store: Store, campaign: str) -> list[dict[str, Any]]:
    return store.query(
        "SELECT * FROM activity WHERE campaign_id = {campaign:String} ORDER BY at", {"campaign": campaign}
    )


async def test_an_action_is_in_the_table_when_it_is_answered(store: Store) -> None:
    campaign = fresh_campaign("activity")
    async with running(store) as log:
        await log.confirm(entry(campaign, target="alert-1", detail={"note": "掉线"}))
        found = rows(store, campaign)
    assert [(row["actor"], row["target"], row["detail"]) for row in found] == [("lin", "alert-1", '{"note": "掉线"}')]


async def test_an_insert_whose_answer_is_lost_is_one_row(store: Store) -> None:
    campaign = fresh_campaign("activity")
    faulty = Faulty(store)
    faulty.lose_answers, faulty.refuse = 2, 0
    async with running(faulty) as log:
        first = log.put(entry(campaign, 1))
        second = log.put(entry(campaign, 2))
        assert first is not None
        assert second is not None
        await asyncio.wait_for(asyncio.gather(first, second), 30)
    assert [row["id"] for row in rows(store, campaign)] == list(dict.fromkeys(r["id"] for r in rows(store, campaign)))
    assert len(rows(store, campaign)) == 2


async def test_a_store_that_is_away_holds_nobody_back_for_long(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.05)
    campaign = fresh_campaign("activity")
    faulty = Faulty(store)
    faulty.refuse = 1_000
    async with running(faulty) as log:
        await asyncio.wait_for(log.confirm(entry(campaign)), 60)
        assert rows(store, campaign) == []
        faulty.refuse = 0
        last = log.put(entry(campaign, 1))
        assert last is not None
        await asyncio.wait_for(last, 60)
    assert len(rows(store, campaign)) == 2


async def test_what_cannot_be_kept_is_told_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    campaign = fresh_campaign("activity")
    faulty = Faulty(store)
    faulty.refuse = 1
    async with running(faulty) as log:
        kept = log.put(entry(campaign, 1))
        assert log.put(entry(campaign, 2, target="lost")) is None
        assert kept is not None
        await asyncio.wait_for(kept, 30)
    (lost,) = [line for line in caplog.records if line.getMessage() == "activity is in this log alone"]
    assert lost.__dict__["activity"]["target"] == "lost"
    assert lost.__dict__["activity"]["actor"] == "lin"


async def test_the_same_refusal_is_one_row_a_minute(store: Store) -> None:
    campaign = fresh_campaign("activity")
    async with running(store) as log:
        for number in (0, 1, 2, SAME_REFUSAL_MS, SAME_REFUSAL_MS + 1):
            log.refuse(entry(campaign, number, result="refused"))
        last = log.put(entry(campaign, 5))
        assert last is not None
        await asyncio.wait_for(last, 30)
    assert sum(row["result"] == "refused" for row in rows(store, campaign)) == 2


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, [3, 2, 1, 0]),
        ({"actor": "wu"}, [1]),
        ({"action": "campaign.put"}, [2]),
        ({"from_ms": NOW_MS + 1, "to_ms": NOW_MS + 3}, [2, 1]),
        ({"limit": 2}, [3, 2]),
        ({"actor": "' OR 1=1 --"}, []),
    ],
)
async def test_pages(store: Store, asked: dict[str, Any], kept: list[int]) -> None:
    campaign = fresh_campaign("activity")
    changes: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
        lambda fields: fields,
        lambda fields: {**fields, "actor": "wu"},
        lambda fields: {**fields, "action": "campaign.put"},
        lambda fields: fields,
    ]
    for number, change in enumerate(changes):
        made = {"at_ms": NOW_MS + number, "actor": "lin", "role": "admin", "how": "key", "action": "export"}
        record(store, Activity(**change({**made, "campaign_id": campaign, "target": str(number)})))
    everything = {"action": "", "actor": "", "from_ms": 0, "to_ms": 2 * NOW_MS, "limit": 10}
    async with running(store) as log:
        found = await log.page(**{**everything, **asked, "campaign_id": campaign})
    assert [int(row["target"]) for row in found] == kept
