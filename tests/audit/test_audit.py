"""What is spoilt by hand is found, by the check that is meant for it and by no other; what is whole is clean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.audit.audit import AuditStopped, audit
from services.audit.report import EXAMPLES, Check, Report, as_text
from services.audit.scope import DAY_MS, EVENT_TABLES, Scope
from services.common.store import Store
from tests.audit.shop import Shop


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def problems(report: Report) -> dict[Check, int]:
    """How many of each check, from what is counted as from what is told."""
    told = {check: sum(each.check is check for each in report.problems) for check in report.counts}
    assert {check: min(count, EXAMPLES) for check, count in report.counts.items()} == told
    return dict(report.counts)


def details(report: Report, check: Check) -> str:
    return "\n".join(f"{each.where}: {each.detail}" for each in report.problems if each.check is check)


def test_whole_days_are_clean_and_counted(shop: Shop) -> None:
    shop.trade(*EVENT_TABLES)
    report = shop.audit(rollups=True)
    assert problems(report) == {}
    assert report.clean
    assert report.notes == []
    assert [(lane.topic, lane.partition) for lane in report.lanes] == sorted(
        (shop.topic(kind), shop.partition) for kind in EVENT_TABLES
    )
    for lane in report.lanes:
        assert (lane.blocks, lane.records, lane.rows, lane.refusals, lane.duplicates) == (2, 58, 55, 2, 1)
        assert (lane.start, lane.end) == (0, 58)
    compared = {each.table: each.groups for each in report.rollups}
    assert all(each.differing == 0 for each in report.rollups)
    (groups,) = shop.store.query(
        "SELECT uniqExact(dimension, value, minute) AS n FROM orders_by_minute WHERE campaign_id = {c:String}",
        {"c": shop.campaign},
    )
    assert compared["orders_by_minute"] == groups["n"] > 20
    assert set(compared) == {
        "traffic_by_minute", "orders_by_minute", "coupons_by_minute", "spend_by_minute", "stock_by_minute",
        "pulse_by_second", "campaign_activity",
    }  # fmt: skip
    assert "Clean" in as_text(report.to_json())


@pytest.mark.parametrize("kind", EVENT_TABLES)
def test_a_row_that_is_lost(shop: Shop, kind: str) -> None:
    shop.trade(kind)
    shop.delete(EVENT_TABLES[kind], f"kafka_partition = {shop.partition} AND kafka_offset = 3")
    report = shop.audit()
    assert problems(report) == {Check.ROWS: 1}
    assert "brought 30 rows and 29 are there" in details(report, Check.ROWS)
    assert details(report, Check.ROWS).startswith(f"{shop.topic(kind)}[{shop.partition}]")
    assert "NOT CLEAN" in as_text(report.to_json())


def test_a_row_that_is_there_twice(shop: Shop) -> None:
    shop.trade("spend")
    shop.block("spend", 1, ledger=False)
    events = [shop.event("spend") for _ in range(3)]
    at = shop.block("spend", 0, events=[*events, events[0]], start=57, lies={"rows": 3, "records": 3})
    report = shop.audit()
    # Its offset is another, which the block does not hold twice; what counts is that the event does.
    assert problems(report) == {Check.ROWS: 1, Check.REPEATS: 1, Check.UNRECORDED: 1, Check.OVERLAPS: 1}
    assert at > shop.midnight


def test_a_block_that_is_in_twice(shop: Shop) -> None:
    """As after a zombie that outslept the window of tokens: the table and the rollups have it twice alike."""
    shop.trade("coupons")
    shop.store.command(
        f"INSERT INTO coupon_events SELECT * FROM coupon_events WHERE kafka_partition = {shop.partition} "
        "AND kafka_offset < 31"
    )
    report = shop.audit()
    assert problems(report) == {Check.ROWS: 1, Check.REPEATS: 30}
    assert "brought 30 rows and 60 are there" in details(report, Check.ROWS)
    assert "counted 2 times" in details(report, Check.REPEATS)


def test_rows_under_offsets_that_the_block_does_not_hold(shop: Shop) -> None:
    shop.trade("traffic")
    shop.block("traffic", 4, start=100, lies={"start_offset": 58, "end_offset": 62})
    report = shop.audit()
    assert problems(report) == {Check.ROWS: 1}
    assert "offsets 100 to 103" in details(report, Check.ROWS)


def test_a_dead_letter_that_is_lost_or_doubled(shop: Shop) -> None:
    shop.trade("orders")
    mine = f"topic = '{shop.topic('orders')}' AND kafka_offset = 30"
    shop.store.command(f"INSERT INTO dead_letters SELECT * FROM dead_letters WHERE {mine}")
    report = shop.audit()
    assert problems(report) == {Check.DEAD_LETTERS: 1}
    assert "brought 2 dead letters and 3 are there" in details(report, Check.DEAD_LETTERS)
    shop.delete("dead_letters", mine)
    report = shop.audit()
    assert problems(report) == {Check.DEAD_LETTERS: 1}
    assert "brought 2 dead letters and 1 are there" in details(report, Check.DEAD_LETTERS)


def test_a_block_that_is_missing_in_the_ledger(shop: Shop) -> None:
    shop.trade("inventory")
    shop.block("inventory", 5, refusals=1, ledger=False)
    shop.block("inventory", 5)
    report = shop.audit()
    # Its offsets are a gap, its rows and its letter belong to nobody.
    assert problems(report) == {Check.RANGES: 1, Check.UNRECORDED: 2}
    assert "6 offsets 58 to 64" in details(report, Check.RANGES)


def test_the_first_block_of_a_period_is_held_against_the_one_before(shop: Shop) -> None:
    shop.trade("spend")
    shop.now = shop.midnight + DAY_MS
    shop.block("spend", 3, start=60)
    report = shop.audit(start=shop.midnight + DAY_MS, end=shop.midnight + 2 * DAY_MS)
    assert problems(report) == {Check.RANGES: 1}
    assert "58 to 60" in details(report, Check.RANGES)


@pytest.mark.parametrize("changes", [{"records": 9}, {"rows": 9}, {"refusals": 1}, {"duplicates": 2}])
def test_an_entry_whose_counts_do_not_add_up(shop: Shop, changes: dict[str, int]) -> None:
    shop.trade("spend")
    shop.block("spend", 8, lies={"end_offset": 68, **changes})
    found = problems(shop.audit())
    wrong = {"rows": Check.ROWS, "refusals": Check.DEAD_LETTERS}.get(next(iter(changes)))
    assert found == {Check.COUNTS: 1} | ({wrong: 1} if wrong else {})


def test_an_entry_that_is_there_twice(shop: Shop) -> None:
    shop.trade("spend")
    counts = {"start_offset": 58, "end_offset": 60, "records": 2, "rows": 2, "refusals": 0, "duplicates": 0}
    at = shop.block("spend", 2)
    shop.enter("spend", "i1", at, counts)
    assert problems(shop.audit()) == {Check.RANGES: 1}


def test_what_was_read_again_is_told_and_is_wrong_only_where_it_counted_again(shop: Shop) -> None:
    shop.trade("traffic")
    shop.block("traffic", 4, start=48, duplicates=10)
    report = shop.audit()
    assert problems(report) == {Check.OVERLAPS: 1}
    shop = Shop(shop.store)
    shop.trade("traffic")
    first = shop.next_offset["traffic"]
    # Ten of them again, then four that are new: the rows lie behind the offsets that were read before.
    shop.block("traffic", 4, start=first, duplicates=10, lies={"start_offset": first - 10, "end_offset": first + 4})
    report = shop.audit()
    assert report.clean
    (note,) = report.notes
    assert f"the offsets {first - 10} to {first} were read again" in note


def test_a_new_life_of_the_log_is_told(shop: Shop) -> None:
    shop.trade("orders")
    shop.block("orders", 7, start=0, incarnation="i2")
    report = shop.audit()
    assert report.clean
    (note,) = report.notes
    assert "new life" in note


def test_an_id_counts_again_after_the_horizon_and_not_within(shop: Shop) -> None:
    shop.trade("coupons")
    event = shop.event("coupons")
    shop.block("coupons", 1, events=[event])
    shop.now += 3_600_000
    shop.block("coupons", 1, events=[event])
    gap = 3_600_000 + 1_000 - 1
    assert shop.audit(horizon_ms=gap).clean
    report = shop.audit(horizon_ms=gap + 1)
    assert problems(report) == {Check.REPEATS: 1}
    assert repr(event["event_id"]) in details(report, Check.REPEATS)
    # Also where the first time lies before the period.
    assert problems(shop.audit(start=shop.now, horizon_ms=gap + 1)) == {Check.REPEATS: 1}
    assert shop.audit(start=shop.now, horizon_ms=gap).clean
    assert shop.audit(end=shop.now, horizon_ms=gap + 1).clean


def test_what_is_being_written_is_no_problem(shop: Shop) -> None:
    shop.trade("traffic")
    shop.block("traffic", 6, refusals=1, ledger=False)
    report = shop.audit(rollups=True)
    assert report.clean
    assert sum("in flight" in note for note in report.notes) == 2
    # Unless ingest has said that it is done.
    shop.said_done("traffic", 65, shop.now - 1)
    assert shop.audit().clean
    shop.said_done("traffic", 65, shop.now + 1)
    assert problems(shop.audit()) == {Check.UNRECORDED: 2}


def test_rows_from_before_the_ledger_are_told(store: Store) -> None:
    shop = Shop(store)
    shop.block("traffic", 6, ledger=False)
    shop.block("traffic", 6)
    report = shop.audit()
    assert report.clean
    assert ["before the ledger" in note for note in report.notes] == [True]


def test_only_the_topics_that_were_asked_for(shop: Shop) -> None:
    shop.trade("traffic", "orders")
    shop.block("orders", 3, start=70)
    assert problems(shop.audit()) == {Check.RANGES: 1}
    assert shop.audit(topics=(shop.topic("traffic"), shop.topic("spend"))).clean


def test_an_audit_can_be_stopped(shop: Shop) -> None:
    asked = iter([False, False, False, True])
    with pytest.raises(AuditStopped):
        audit(shop.store, Scope(0, DAY_MS, DAY_MS), now=1, stopped=lambda: next(asked))


@pytest.mark.parametrize(
    "spoil",
    [lambda shop: shop.block("spend", 2, start=90), lambda shop: None],
    ids=["problem", "clean"],
)
def test_the_outcome_in_json(shop: Shop, spoil: Callable[[Shop], None]) -> None:
    shop.trade("spend")
    spoil(shop)
    report = shop.audit()
    told = report.to_json()
    assert told["clean"] is report.clean
    assert told["problems"].keys() == {check.value for check in Check}
    assert sum(told["problems"].values()) == len(told["examples"])
    assert told["from"] == f"{shop.day}T00:00:00Z"
