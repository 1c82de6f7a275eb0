"""Kafka's committed offsets against the ledger."""

from __future__ import annotations

import asyncio

import pytest

from services.audit.offsets import Committed, committed_of, compare_offsets, read_offsets
from services.audit.ranges import Recorded
from services.audit.report import Problem
from services.common.store import Store
from services.ingest.protocol import Checkpoint
from tests.ingest.harness import produce, record, running, settings_for, traffic, until_handled
from tests.support.audits import assert_clean
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign

LAST = Recorded("a", 5, 80, 100, 20, 20, 0, 0)


def done(offset: int) -> Committed:
    return Committed(offset, "a", None)


def begun(offset: int, end: int) -> Committed:
    return Committed(offset, "a", end)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (done(100), done(100), None),
        # The last block is in the ledger; the commit that follows it is not made yet, or has just been.
        (begun(80, 100), begun(80, 100), None),
        (begun(80, 100), done(100), None),
        (begun(60, 80), begun(80, 100), None),
        (None, done(100), None),
        (begun(100, 120), begun(100, 120), "in flight: the block 100 to 120"),
        (begun(80, 100), begun(140, 160), "in flight"),
        (done(101), done(101), Problem),
        (begun(120, 130), begun(120, 130), Problem),
        (done(99), done(99), Problem),
        (begun(60, 80), begun(60, 80), Problem),
        (None, None, Problem),
        (done(100), Committed(0, "b", None), "another life"),
    ],
)
def test_where_the_two_meet(before: Committed | None, after: Committed | None, found: object) -> None:
    findings = list(compare_offsets("t[0]", LAST, before, after))
    if found is None:
        assert findings == []
    elif found is Problem:
        assert any(isinstance(each, Problem) for each in findings)
    else:
        (note,) = findings
        assert isinstance(note, str)
        assert str(found) in note


def test_what_ingest_commits_is_understood() -> None:
    assert committed_of(7, Checkpoint("i", 1, 7, 9).encode()) == Committed(7, "i", 9)
    assert committed_of(7, Checkpoint("i", 1, 7).encode()) == Committed(7, "i", None)
    assert committed_of(7, "") is None
    assert committed_of(7, '{"end": "x"}') is None


async def test_a_real_group_meets_its_ledger(broker: KafkaServer, store: Store) -> None:
    settings = settings_for(broker)
    campaign = fresh_campaign("offsets")
    records = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(300)]
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records)
    report = await asyncio.to_thread(
        assert_clean, store, settings.topic_prefix, campaign=campaign, offsets=lambda: read_offsets(settings)
    )
    assert not [note for note in report.notes if "in flight" in note]
