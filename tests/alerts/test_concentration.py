"""One among all: who stands out by chance is left alone, however people differ, and who cheats is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.detectors.concentration import searches, spread_of, suspicious
from services.alerts.detectors.coupon_abuse import CouponAbuse, CouponAbuseParameters
from services.alerts.detectors.order_brushing import OrderBrushingParameters
from services.alerts.lifecycle import Sighting
from services.alerts.readings.suspects import Batch, Batches, Crowd, Point, Search, Suspect, Suspicion
from services.common.people.suspects import Pseudonyms
from services.common.settings import Settings

NOW = 1_900_000_000_000
P = OrderBrushingParameters()
QUICK, SLOW = searches(P, ["orders"])


def suspect(name: str, count: int, *, kind: str = "user", others: int = 1, partner: str = "", ago: int = 5) -> Suspect:
    last = NOW - 1000 * ago
    points = [Point(last - 5000 * n, f"o{n}", Decimal("10.00")) for n in reversed(range(min(count, 20)))]
    return Suspect(kind, name, count, others, partner, Decimal(10 * count), last - 5000 * (count - 1), last, 0, points)


def crowd(counts: Sequence[int], *suspects: Suspect) -> Crowd:
    """Those who have so many events each, and suspects beside them."""
    return Crowd(Counter(counts) + Counter(one.count for one in suspects), suspects)


def told(users: Crowd, devices: Crowd | None = None, search: Search = QUICK) -> set[str]:
    found = {search: Suspicion({"user": users, "device": devices or Crowd()}, NOW - search.window_ms, NOW)}
    verdicts = suspicious(P, [QUICK, SLOW], found, NOW, "orders")
    return {verdict.labels["suspect"] for verdict in verdicts if verdict.sighting is Sighting.BREACH}


def people(random: np.random.Generator, number: int, mean: float, shape: float) -> list[int]:
    """How many orders each has who has any: of rates that differ as a gamma distribution does."""
    counts = random.poisson(random.gamma(shape, mean / shape, number))
    return [int(count) for count in counts if count]


@pytest.mark.parametrize("number", [80, 1000, 100_000])
def test_a_brusher_is_told_in_a_crowd_of_any_size(number: int) -> None:
    everybody = people(np.random.default_rng(1), number, 0.3, 1.0)
    assert told(crowd(everybody, suspect("b", 20))) == {"b"}


def test_among_a_handful_nobody_stands_out() -> None:
    assert told(crowd([1] * 9, suspect("b", 40))) == set()
    assert told(crowd([1] * 10, suspect("b", 40))) == {"b"}


@pytest.mark.parametrize("number", [0, 30, 1000, 100_000])
def test_a_family_is_not(number: int) -> None:
    everybody = people(np.random.default_rng(1), number, 0.3, 1.0)
    family = suspect("mum", 5)
    tablet = suspect("tablet", 5, kind="device", others=3)
    assert told(crowd(everybody, family), crowd(everybody, tablet)) == set()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    number=st.sampled_from([10, 100, 1000, 20_000]),
    mean=st.floats(0.01, 20),
    shape=st.floats(0.5, 20),
)
def test_people_who_differ_are_no_suspects(seed: int, number: int, mean: float, shape: float) -> None:
    counts = people(np.random.default_rng(seed), number, mean, shape)
    most = sorted(counts, reverse=True)[:20]
    least = [count for count in most if count >= QUICK.least]
    rest = sorted(counts, reverse=True)[len(least) :]
    assert told(crowd(rest, *(suspect(f"s{n}", count) for n, count in enumerate(least)))) == set()


@given(st.lists(st.integers(1, 12), max_size=200), st.integers(8, 60), st.integers(1, 20))
def test_more_orders_never_speak_for_somebody(everybody: list[int], count: int, more: int) -> None:
    assert told(crowd(everybody, suspect("b", count))) <= told(crowd(everybody, suspect("b", count + more)))


@given(st.permutations([1] * 20 + [2] * 5 + [3]))
def test_the_order_of_people_does_not_matter(everybody: list[int]) -> None:
    assert spread_of(Counter(everybody)) == spread_of(Counter(sorted(everybody)))


def test_many_accounts_on_one_device_are_told_once_and_earlier() -> None:
    everybody = [1] * 500
    farm = suspect("farm", 6, kind="device", others=6)
    accounts = [suspect(f"a{n}", 6, partner="farm") for n in range(3)]
    assert told(crowd(everybody, *accounts), crowd(everybody, farm)) == {"farm"}


def test_the_device_of_one_account_is_told_by_the_account() -> None:
    everybody = [1] * 500
    own = suspect("phone", 12, kind="device", others=1, partner="b")
    assert told(crowd(everybody, suspect("b", 12, partner="phone")), crowd(everybody, own)) == {"b"}


def test_it_is_over_when_nothing_more_comes() -> None:
    assert told(crowd([1] * 500, suspect("b", 30, ago=100))) == {"b"}
    assert told(crowd([1] * 500, suspect("b", 30, ago=130))) == set()


def test_several_brushers_do_not_hide_each_other() -> None:
    gang = [suspect(f"b{n}", 14) for n in range(10)]
    assert told(crowd([1] * 900 + [2] * 60, *gang)) == {one.name for one in gang}


def test_the_slow_search_begins_where_the_money_ladder_suspects() -> None:
    assert P.slow_min_events == Settings().brushing_orders_per_hour
    assert P.slow_window_minutes == 60


def test_a_suspect_is_called_the_same_by_all_who_have_the_key_and_by_nobody_else() -> None:
    one, same, other = (Pseudonyms(key) for key in (b"k" * 32, b"k" * 32, b"x" * 32))
    name = one.name("festival", "user", "u1")
    assert name == same.name("festival", "user", "u1")
    assert len({name, other.name("festival", "user", "u1"), one.name("festival", "device", "u1")}) == 3
    assert one.name("festival2", "user", "u1") != name
    assert "k" * 8 not in repr(one)


def leaks(*rows: tuple[int, int], accounts: int | None = None) -> list[str]:
    """The batches that are told, of (recent, before) events each."""
    detector = CouponAbuse(CouponAbuseParameters())
    batches = Batches(
        {
            f"b{n}": Batch(recent, before, accounts or recent, accounts or recent, Decimal(0), NOW - 50_000)
            for n, (recent, before) in enumerate(rows)
        },
        3_600_000,
        NOW,
    )
    verdicts = detector._leaks(batches, "claims", NOW)
    return [verdict.labels["batch_id"] for verdict in verdicts if verdict.sighting is Sighting.BREACH]


def test_a_batch_that_leaked_is_told_and_a_sale_is_not() -> None:
    assert leaks((40, 300), (6, 300), (4, 200)) == ["b0"]
    assert leaks((40, 300), (44, 300), (30, 200)) == []
    assert leaks((40, 300), (6, 300), accounts=2) == []
    assert leaks((400, 0), (6, 300)) == []
    assert leaks((400, 300)) == []


@pytest.mark.parametrize("minutes", [1, 5, 9, 12, 25, 50])
def test_a_batch_that_has_just_begun_is_held_against_its_own_time(minutes: int) -> None:
    """Catches: a batch that goes out evenly, held against an hour in which it mostly was not there."""
    detector = CouponAbuse(CouponAbuseParameters())
    new = Batch(60, 60 * minutes, 60, 60, Decimal(0), NOW - 50_000, minutes * 60_000)
    old = Batch(60, 3600, 60, 60, Decimal(0), NOW - 50_000)
    verdicts = detector._leaks(Batches({"new": new, "old": old}, 3_600_000, NOW), "claims", NOW)
    assert [verdict for verdict in verdicts if verdict.sighting is Sighting.BREACH] == []


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(30, 20_000), min_size=2, max_size=20), st.floats(0.2, 10))
def test_no_batch_leaks_by_chance(seed: int, before: list[int], surge: float) -> None:
    random = np.random.default_rng(seed)
    assert leaks(*((int(random.poisson(count / 60 * surge)), count) for count in before)) == []
