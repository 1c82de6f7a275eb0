"""Stock levels that arrive in any order and are read in any pieces come to the same sums."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.shelf import Shelf, ShelfRow

NOW = 1_900_000_000_000
MINUTE = NOW // 60_000 * 60

LEVELS = st.lists(
    st.builds(
        lambda item, warehouse, minutes_ago, available, safety: ShelfRow(
            "c", item, warehouse, MINUTE - minutes_ago * 60, available, safety
        ),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["north", "south"]),
        st.integers(0, 120),
        st.integers(0, 3),
        st.none() | st.integers(0, 5),
    ),
    max_size=30,
    unique_by=lambda row: (row.item_id, row.warehouse_id, row.minute),
)


@given(LEVELS, st.randoms(use_true_random=False))
def test_the_latest_minute_wins_whatever_comes_first(rows: list[ShelfRow], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    shelf = Shelf()
    for row in shuffled:
        shelf.put([row], NOW)
    newest: dict[tuple[str, str], ShelfRow] = {}
    for row in sorted(rows, key=lambda row: row.minute):
        newest[row.item_id, row.warehouse_id] = row
    for item, level in shelf.levels("c", NOW).items():
        held = [row for (name, _), row in newest.items() if name == item]
        declared = [row.safety_stock for row in held if row.safety_stock is not None]
        assert level.available == sum(row.available for row in held)
        assert level.safety_stock == (sum(declared) if declared else None)
        assert level.warehouses == {row.warehouse_id: row.available for row in held}


def test_an_old_level_counts_only_when_it_has_stood_for_a_while() -> None:
    shelf = Shelf(fresh_seconds=120, settle_ms=30_000)
    shelf.put([ShelfRow("c", "fresh", "w", MINUTE, 0, None), ShelfRow("c", "old", "w", MINUTE - 600, 0, None)], NOW)
    assert {item: level.confirmed for item, level in shelf.levels("c", NOW + 29_000).items()} == {
        "fresh": True,
        "old": False,
    }
    # History goes on being written: the wait begins again.
    shelf.put([ShelfRow("c", "old", "w", MINUTE - 540, 0, None)], NOW + 29_000)
    assert not shelf.levels("c", NOW + 31_000)["old"].confirmed
    assert shelf.levels("c", NOW + 60_000)["old"].confirmed


def test_campaigns_that_nobody_looks_at_are_forgotten() -> None:
    shelf = Shelf()
    shelf.put([ShelfRow("c", "a", "w", MINUTE, 1, None), ShelfRow("d", "a", "w", MINUTE, 1, None)], NOW)
    shelf.forget(["d"])
    assert (shelf.levels("c", NOW), len(shelf.levels("d", NOW))) == ({}, 1)
