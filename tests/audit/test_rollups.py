"""Every rollup is compared, in every column, and the comparison finds what is spoilt and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.audit.comparison import Comparison, Sure
from services.audit.report import Check, Problem
from services.audit.rollups import Rollup, Shape, all_rollups, dimensions_of
from services.audit.scope import EVENT_TABLES
from services.common.store import Store
from services.ingest.columns import TABLES
from tests.audit.shop import Shop
from tests.support.rows import money


def name_of(rollup: Rollup) -> str:
    return f"{rollup.table}-{rollup.only}"


def compared(shop: Shop, rollup: Rollup, *, head: int | None = None) -> list[Problem]:
    """What the comparison says of one rollup; everything up to `head` is sure to be in, by default all."""
    sure = Sure({shop.partition: shop.now if head is None else head}, 0)
    comparison = Comparison(shop.store, str(shop.day), dict.fromkeys(EVENT_TABLES, sure), shop.campaign)
    return comparison.of(rollup)[1]


def rows_of(shop: Shop, rollup: Rollup) -> str:
    return f"campaign_id = '{shop.campaign}' AND {rollup.only}"


def copied(shop: Shop, rollup: Rollup, condition: str, **changes: str) -> None:
    """Inserts rows of the rollup once more, with some columns changed."""
    replaced = ", ".join(f"{expression} AS {column}" for column, expression in changes.items())
    shop.store.command(
        f"INSERT INTO {rollup.table} SELECT * {f'REPLACE ({replaced})' if replaced else ''} FROM "
        f"(SELECT * FROM {rollup.table} WHERE {rows_of(shop, rollup)} AND {condition})"
    )


def first_group(shop: Shop, rollup: Rollup) -> str:
    """A condition for one group."""
    keys = [key for key in rollup.keys if key != "campaign_id"]
    (row,) = shop.store.query(
        f"SELECT {', '.join(f'toString({key}) AS {key}_' for key in keys)} FROM {rollup.table} "
        f"WHERE {rows_of(shop, rollup)} ORDER BY {', '.join(keys)} LIMIT 1"
    )
    return " AND ".join(f"toString({key}) = '{row[f'{key}_']}'" for key in keys)


def test_the_tables_are_those_of_ingest() -> None:
    assert TABLES == EVENT_TABLES


def test_every_column_of_every_rollup_is_compared(store: Store) -> None:
    there = store.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table IN "
        "(SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'AggregatingMergeTree' "
        # Folds lag behind on purpose, and are held against the ledger by whoever folds.
        "AND name NOT IN ('uniques_by_span', 'funnel_by_span'))"
    )
    described = {
        (rollup.table, column)
        for rollup in all_rollups()
        for column in (*rollup.keys, *rollup.measures, "day", *(["dimension"] if dimensions_of(rollup.table) else []))
    }
    assert {(row["table"], row["name"]) for row in there} == described


@pytest.mark.parametrize("rollup", list(all_rollups()), ids=name_of)
def test_what_is_spoilt_in_a_rollup_is_found(store: Store, rollup: Rollup) -> None:
    shop = Shop(store)
    for source in rollup.sources:
        shop.block(source.kind, 25)
    assert compared(shop, rollup) == []
    group = first_group(shop, rollup)

    # What counts is there twice. Of states and of the latest that makes no difference, and so it is none.
    copied(shop, rollup, group)
    doubled = compared(shop, rollup)
    assert len(doubled) == (Shape.SUM in rollup.measures.values())

    shop.delete(rollup.table, f"{rows_of(shop, rollup)} AND {group}")
    (lost,) = compared(shop, rollup)
    assert lost.check is Check.ROLLUPS
    assert "is absent" in lost.detail
    assert lost.where.startswith(rollup.table)

    shop = Shop(store)
    for source in rollup.sources:
        shop.block(source.kind, 25)
    key = {"campaign_activity": "kind", "stock_by_minute": "item_id", "pulse_by_second": "channel"}.get(
        rollup.table, "value"
    )
    copied(shop, rollup, first_group(shop, rollup), **{key: "'nobody'"})
    (stray,) = compared(shop, rollup)
    assert "has no events" in stray.detail
    assert "nobody" in stray.detail


@pytest.mark.parametrize(
    ("kind", "column"), [("traffic", "uv"), ("traffic", "sessions"), ("orders", "buyers"), ("orders", "new_buyers")]
)
def test_other_users_of_the_same_number_are_found(store: Store, kind: str, column: str) -> None:
    shop = Shop(store)
    name = {"traffic": "page_view", "orders": "order_paid"}[kind]
    one = {**shop.event(kind), "event_name": name, "session_id": "s1", "customer_type": "new"}
    events = [{**one, "event_id": f"{shop.campaign}-{user}", "user_id": user} for user in ("one", "two")]
    if kind == "orders":
        events = [{key: value for key, value in event.items() if key != "session_id"} for event in events]
    else:
        events = [{key: value for key, value in event.items() if key != "customer_type"} for event in events]
    shop.block(kind, 0, events=events)
    rollup = next(each for each in all_rollups() if each.table == f"{kind}_by_minute")
    assert compared(shop, rollup) == []
    other = "uniqCombined64State(20)('someone'"
    state = f"(SELECT {other}) FROM numbers({1 if column == 'sessions' else 2}))"
    state = state.replace("'someone'", "concat('someone', toString(number))")
    shop.rewrite(rollup.table, f"* REPLACE ({state} AS {column})")
    (problem,) = compared(shop, rollup)
    assert f": {column} " in problem.detail


def test_a_level_that_is_not_the_latest_is_found(store: Store) -> None:
    shop = Shop(store)
    event = shop.event("inventory")
    shop.block("inventory", 0, events=[{**event, "event_id": "1", "available": 5}])
    shop.block("inventory", 0, events=[{**event, "event_id": "2", "available": 7}])
    (rollup,) = (each for each in all_rollups() if each.table == "stock_by_minute")
    assert compared(shop, rollup) == []
    shop.delete(rollup.table, f"{rows_of(shop, rollup)} AND tupleElement(finalizeAggregation(level), 1) = 7")
    (problem,) = compared(shop, rollup)
    assert "level (5" in problem.detail


def test_an_unknown_dimension_is_found(store: Store) -> None:
    shop = Shop(store)
    shop.block("spend", 3)
    rollup = next(each for each in all_rollups() if each.table == "spend_by_minute")
    comparison = Comparison(store, str(shop.day), {}, None)
    assert comparison.unknown_dimensions(rollup.table, dimensions_of(rollup.table)) == []
    copied(shop, rollup, "1", dimension="'planet'")
    (problem,) = comparison.unknown_dimensions(rollup.table, dimensions_of(rollup.table))
    assert "planet" in problem.detail


@pytest.mark.parametrize("rollup", {rollup.table: rollup for rollup in all_rollups()}.values(), ids=name_of)
def test_what_is_on_its_way_may_be_in_the_rollup_or_not(store: Store, rollup: Rollup) -> None:
    shop = Shop(store)
    kind = rollup.sources[0].kind
    event = shop.event(kind)
    shop.block(kind, 0, events=[event])
    head = shop.now
    # A second block, half in: later in time, so that its groups are its own.
    shop.now += 3_600_000
    later = {**event, "event_id": f"{shop.campaign}-later", "event_time": shop.event(kind)["event_time"]}
    shop.block(kind, 0, events=[later])
    assert compared(shop, rollup, head=head) == []
    if rollup.moment is None:
        return
    shop.delete(
        rollup.table,
        f"{rows_of(shop, rollup)} AND {rollup.moment} > "
        f"(SELECT min({rollup.moment}) + 60 FROM {rollup.table} WHERE {rows_of(shop, rollup)})",
    )
    assert compared(shop, rollup, head=head) == []
    # Once the block is in the ledger it has to be there.
    assert len(compared(shop, rollup)) == 1
    # What surely arrived has to be there in any case.
    shop.delete(rollup.table, rows_of(shop, rollup))
    assert len(compared(shop, rollup, head=head)) == 1


def test_many_users_are_estimated_alike(store: Store) -> None:
    """Beyond some ten thousand the states are estimates: those of many blocks joined, and one made afresh."""
    shop = Shop(store)
    for block in range(6):
        store.command(
            f"""
            INSERT INTO traffic_events
                (arrived_at, kafka_partition, kafka_offset, event_id, event_name, event_time, campaign_id, user_id,
                 session_id, channel, region)
            SELECT fromUnixTimestamp64Milli({shop.now + block}, 'UTC'), {shop.partition}, number, toString(number),
                'page_view', fromUnixTimestamp64Milli({shop.now}, 'UTC'), '{shop.campaign}',
                concat('u', toString(number * 7 + {block} * 31)), concat('s', toString(number)), 'app', 'CN-31'
            FROM numbers({block * 5_000}, 60000)
            """
        )
    shop.now += 10
    for rollup in all_rollups():
        if rollup.table == "traffic_by_minute":
            assert compared(shop, rollup) == []


names = st.sampled_from(["a", "b", "unknown", ""])
lines = st.lists(st.tuples(names, names, st.integers(1, 5), st.integers(0, 10**6)), max_size=5)
orders = st.lists(
    st.tuples(
        st.sampled_from(["order_created", "order_paid", "order_cancelled", "order_refunded", "payment_failed"]),
        st.integers(0, 3),
        st.integers(0, 10**7),
        lines,
        st.sampled_from(["new", "returning", "unknown"]),
        st.integers(0, 150_000),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders)
def test_orders_of_any_lines_are_split_alike(store: Store, drawn: list[tuple[Any, ...]]) -> None:
    shop = Shop(store)
    events = [
        {
            **shop.event("orders"),
            "event_name": name,
            "user_id": f"u{user}",
            "value": money(cents),
            "line_item_id": [line[0] for line in lines],
            "line_item_category": [line[1] for line in lines],
            "line_quantity": [line[2] for line in lines],
            "line_amount": [money(line[3]) for line in lines],
            "customer_type": customer,
        }
        for name, user, cents, lines, customer, _ in drawn
    ]
    shop.block("orders", 0, events=events)
    for rollup in all_rollups():
        if any(source.kind == "orders" for source in rollup.sources):
            assert compared(shop, rollup) == []
