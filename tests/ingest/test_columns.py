"""Columns as the tables want them."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.common.settings import EVENT_KINDS
from services.common.store import Store
from services.ingest.columns import TABLES, constant, moment, money


@given(st.lists(st.integers(-(10**17) + 1, 10**17 - 1), max_size=20))
def test_money_is_exact(cents: list[int]) -> None:
    assert money(cents).to_pylist() == [Decimal(each) / 100 for each in cents]
    money(cents).validate(full=True)


def test_constants_and_moments() -> None:
    import pyarrow as pa

    assert constant("x", pa.string(), 3).to_pylist() == ["x", "x", "x"]
    assert moment(1_500, 2).cast(pa.int64()).to_pylist() == [1_500, 1_500]


def test_every_kind_has_a_table(store: Store) -> None:
    tables = {row["name"] for row in store.query("SELECT name FROM system.tables WHERE database = currentDatabase()")}
    assert set(TABLES) == set(EVENT_KINDS)
    assert set(TABLES.values()) <= tables
