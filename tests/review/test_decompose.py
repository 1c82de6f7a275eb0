"""A decomposition that does not add up explains something else."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.review.decompose import CENT, contributions

COUNTS = st.integers(1, 10**9).map(Decimal)
AMOUNTS = st.integers(1, 10**14).map(lambda cents: Decimal(cents) / 100)
CHAINS = st.tuples(COUNTS, COUNTS, COUNTS, AMOUNTS)


@given(before=CHAINS, after=CHAINS)
def test_contributions_add_up_to_the_cent(before: tuple[Decimal, ...], after: tuple[Decimal, ...]) -> None:
    parts = contributions(before, after)
    assert parts is not None
    assert sum(parts) == after[-1] - before[-1]
    assert all(part == part.quantize(CENT) for part in parts)


@given(before=CHAINS, after=CHAINS)
def test_they_are_what_the_logarithmic_mean_gives(before: tuple[Decimal, ...], after: tuple[Decimal, ...]) -> None:
    parts = contributions(before, after)
    old, new = float(before[-1]), float(after[-1])
    mean = old if old == new else (new - old) / math.log(new / old)
    links = [(float(before[0]), float(after[0]))]
    links += [(float(before[i] / before[i - 1]), float(after[i] / after[i - 1])) for i in (1, 2, 3)]
    assert parts is not None
    for part, (then, now) in zip(parts, links, strict=True):
        assert float(part) == pytest.approx(mean * math.log(now / then), abs=0.02, rel=1e-6)


@given(before=CHAINS, after=CHAINS)
def test_back_is_the_same_way_reversed(before: tuple[Decimal, ...], after: tuple[Decimal, ...]) -> None:
    there, back = contributions(before, after), contributions(after, before)
    assert there is not None
    assert back is not None
    assert all(abs(a + b) <= CENT for a, b in zip(there, back, strict=True))


def test_a_factor_that_did_not_change_contributes_nothing() -> None:
    # Twice the visitors, everything else in proportion.
    parts = contributions([Decimal(v) for v in (100, 10, 20, 500)], [Decimal(v) for v in (200, 20, 40, 1000)])
    assert parts == [Decimal(500), Decimal(0), Decimal(0), Decimal(0)]


def test_nothing_is_said_where_a_ratio_has_no_meaning() -> None:
    some = [Decimal(v) for v in (100, 10, 20, 500)]
    for place in range(4):
        none = [Decimal(0) if number == place else value for number, value in enumerate(some)]
        for before, after in permutations((some, none)):
            assert contributions(before, after) is None
    with pytest.raises(ValueError, match="same links"):
        contributions(some, some[1:])
