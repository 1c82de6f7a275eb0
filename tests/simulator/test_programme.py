"""What is planned for a day, and that incidents keep to their rules of distance, over any seed."""

from __future__ import annotations

from bisect import bisect_left as bisect
from collections import Counter, defaultdict
from datetime import datetime
from functools import cache
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.clock import to_ms
from services.simulator.day.body import ATTAINABLE
from services.simulator.day.curve import DAY_MS, HOUR_MS, ZONE_MS, day_curve
from services.simulator.day.festival import festival_source, year_before
from services.simulator.day.planner import (
    AFTER_SALE_MS,
    APART_SECONDS,
    BEFORE_SALE_MS,
    SAME_RULE_SECONDS,
    fits,
    incident_plan,
)
from services.simulator.day.programme import QUIET_START_MS, Programme, Variant, festival_programme
from services.simulator.incidents import Incident
from services.simulator.incidents.registry import KINDS
from services.simulator.world import CHANNELS
from tests.simulator.test_day import EVENING_MS

seeds = st.integers(0, 10**9)
starts = st.integers(0, 2 * DAY_MS // 1000).map(lambda second: EVENING_MS + second * 1000)


@cache
def planned(seed: int, start_ms: int) -> tuple[Programme, tuple[Incident, ...]]:
    festival = festival_source(seed=seed, start_ms=start_ms)
    return festival.programme, tuple(festival.planned)


@settings(max_examples=12, deadline=None)
@given(seed=seeds, start_ms=st.one_of(st.just(EVENING_MS), starts))
def test_incidents_keep_away_from_each_other_from_sales_and_from_the_first_hour(seed: int, start_ms: int) -> None:
    programme, incidents = planned(seed, start_ms)
    # Enough for a scorecard, and every rule that events can fire.
    assert len(incidents) >= 15
    for one, other in combinations(incidents, 2):
        gap = max(one.offset, other.offset) - min(one.offset + one.seconds, other.offset + other.seconds)
        same = KINDS[one.type].rule == KINDS[other.type].rule
        assert gap >= (SAME_RULE_SECONDS if same else 1200 if "silence" in (one.type, other.type) else APART_SECONDS)
    for one in incidents:
        starts_ms = start_ms + one.offset * 1000
        ends_ms = starts_ms + one.seconds * 1000
        assert start_ms + QUIET_START_MS <= starts_ms
        assert ends_ms < programme.end_ms
        assert 60 <= one.seconds <= 2700
        for sale in programme.sales:
            assert ends_ms <= sale.start_ms - BEFORE_SALE_MS or starts_ms >= sale.end_ms + AFTER_SALE_MS


@settings(max_examples=12, deadline=None)
@given(seed=seeds)
def test_a_day_that_begins_in_the_evening_has_one_of_everything(seed: int) -> None:
    programme, incidents = planned(seed, EVENING_MS)
    assert Counter(one.type for one in incidents) == dict.fromkeys(KINDS, 1)
    assert programme.slow


def test_a_short_festival_has_few_incidents_unless_they_are_to_be_dense() -> None:
    programme = festival_programme(1, EVENING_MS, 8, "full")
    few, many = (incident_plan(programme, 1, 4.0, items=["sku-0001"], density=density) for density in (1.0, 3.0))
    assert len(few) == 7
    assert len(many) >= 12


def test_what_is_too_near_does_not_fit() -> None:
    programme = festival_programme(1, EVENING_MS, 24, "calm")
    placed = [Incident("spike", 20_000, 100)]
    assert not fits(programme, Incident("bots", 21_000, 100), placed)
    assert not fits(programme, Incident("malformed", 20_100 + APART_SECONDS - 1, 100), placed)
    assert fits(programme, Incident("malformed", 20_100 + APART_SECONDS, 100), placed)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, start_ms=starts, hours=st.integers(3, 30), variant=st.sampled_from(["calm", "flash", "full"]))
def test_phases_cover_the_festival_and_each_sale_is_one(seed: int, start_ms: int, hours: int, variant: Variant) -> None:
    programme = festival_programme(seed, start_ms, hours, variant)
    assert programme.phases[0].start_ms == start_ms
    assert programme.phases[-1].end_ms == programme.end_ms == start_ms + hours * HOUR_MS
    assert all(earlier.end_ms == later.start_ms for earlier, later in pairwise(programme.phases))
    names = [phase.name for phase in programme.phases]
    assert len(set(names)) == len(names)
    for sale in programme.sales:
        assert (sale.start_ms, sale.end_ms) == (programme.phase(sale.name).start_ms, programme.phase(sale.name).end_ms)
        assert programme.phase_at(sale.start_ms).name == sale.name
    assert bool(programme.slow) <= (variant == "full")


def test_the_day_has_a_quiet_night_a_peak_at_lunch_and_a_higher_one_in_the_evening() -> None:
    at = {hour: day_curve(EVENING_MS // DAY_MS * DAY_MS + hour * HOUR_MS - ZONE_MS) for hour in range(24)}
    assert min(at, key=lambda hour: at[hour]) in (3, 4, 5)
    assert max(at, key=lambda hour: at[hour]) in (20, 21)
    assert at[12] > 1.1 * at[10]
    assert at[12] > 1.1 * at[15]
    curve = [day_curve(second * 1000) for second in range(0, 86_400, 10)]
    assert all(0.97 < later / earlier < 1.03 for earlier, later in pairwise([*curve, curve[0]]))


def test_midnight_opens_the_burst() -> None:
    programme = festival_programme(3, EVENING_MS, 24, "flash")
    opening = programme.phase("opening")
    assert (opening.start_ms + ZONE_MS) % DAY_MS == 0
    before, after = (sum(programme.business(opening.start_ms + at) for at in span) for span in ((-1000,), (0,)))
    assert 3 < after / before < 7


AFTERNOON_MS = EVENING_MS - 3 * HOUR_MS
HOURS = 8


class Day(NamedTuple):
    """Some hours at which nothing goes wrong: moments and values of orders and spend, moments of page views."""

    programme: Programme
    body: dict[str, Any]
    told: dict[tuple[str, str], list[tuple[int, float]]]
    """By event name and channel, in the order of time."""

    def within(self, start_ms: int, end_ms: int, name: str, channel: str) -> list[float]:
        """The values of the events of a name and channel within a span."""
        events = self.told[name, channel]
        return [value for _, value in events[bisect(events, (start_ms,)) : bisect(events, (end_ms,))]]


@pytest.fixture(scope="module")
def day() -> Day:
    festival = festival_source(seed=11, start_ms=AFTERNOON_MS, hours=HOURS, variant="flash", events_per_second=9.0)
    told: defaultdict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for _, record in festival.arrivals():
        if record.kind in ("orders", "spend") or b'"page_view"' in record.value:
            event = msgspec.json.decode(record.value)
            value = float(event.get("value", event.get("cost", 1)))
            told[event["event_name"], event["channel"]].append((record.time_ms, value))
    assert [truth.rule for truth in festival.truths] == [""] * len(festival.programme.sales)
    return Day(festival.programme, festival.source.campaign.body, {key: sorted(one) for key, one in told.items()})


def moment(text: str) -> int:
    """Epoch milliseconds of a time in a campaign's body."""
    return to_ms(datetime.fromisoformat(text))


def test_sales_are_ahead_of_every_target_at_every_moment(day: Day) -> None:
    """Catches: targets that a normal day misses for a while, which would make `gmv_behind_target` cry."""
    goals = [(day.body["start"], day.body["end"], day.body["targets"]["total"])]
    phases = day.body["targets"]["phases"]
    goals += [(one["start"], one["end"], phases[one["name"]]) for one in day.body["phases"] if one["name"] in phases]
    assert len(goals) > 3
    for start, end, target in goals:
        start_ms, end_ms = moment(start), moment(end)
        minutes = (end_ms - start_ms) // 60_000
        for metric, name in (("gmv", "order_created"), ("orders_paid", "order_paid")):
            done = 0.0
            for minute in range(minutes):
                at_ms = start_ms + minute * 60_000
                values = [value for one in CHANNELS for value in day.within(at_ms, at_ms + 60_000, name, one)]
                done += sum(values) if metric == "gmv" else len(values)
                assert minute < 30 or done > float(target[metric]) * (minute + 1) / minutes, (start, metric, minute)


def test_no_budget_burns_faster_than_evenly_and_every_channel_returns_its_cost(day: Day) -> None:
    for channel in CHANNELS:
        spent = 0.0
        for hour in range(HOURS):
            span = (AFTERNOON_MS + hour * HOUR_MS, AFTERNOON_MS + (hour + 1) * HOUR_MS)
            cost = sum(day.within(*span, "ad_spend", channel))
            spent += cost
            assert spent < float(day.body["budgets"][channel]) * (hour + 1) / HOURS
            paid = sum(day.within(*span, "order_paid", channel))
            assert paid * float(day.body["gross_margin"]) > cost, (channel, hour)


def test_each_sale_opens_with_the_second_of_its_phase_and_decays(day: Day) -> None:
    assert len(day.programme.sales) >= 3
    for sale in day.programme.sales:
        for channel in ("app", "live"):
            before, opening, late = (
                len(day.within(start_ms, end_ms, "page_view", channel)) / (end_ms - start_ms)
                for start_ms, end_ms in [
                    (sale.start_ms - 180_000, sale.start_ms),
                    (sale.start_ms, sale.start_ms + 60_000),
                    (sale.end_ms - 180_000, sale.end_ms),
                ]
            )
            if channel in sale.channels:
                assert 0.55 * sale.factor < opening / before < 1.4 * sale.factor, sale
                assert late < 0.6 * opening
            else:
                assert 0.5 < opening / before < 2


def test_the_year_before_has_the_same_programme_and_none_of_the_incidents() -> None:
    now, then = (make(seed=2, start_ms=EVENING_MS) for make in (festival_source, year_before))
    assert not then.planned
    shift = 364 * DAY_MS
    assert [(p.name, p.start_ms - shift, p.end_ms - shift) for p in now.programme.phases] == [
        (p.name, p.start_ms, p.end_ms) for p in then.programme.phases
    ]
    assert not then.programme.slow


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_a_slow_phase_falls_behind_its_target_early_and_ends_far_from_it(seed: int) -> None:
    programme = festival_programme(seed, EVENING_MS, 24, "full")
    phase = programme.phase(programme.slow)
    times = range(phase.start_ms, phase.end_ms, 10_000)
    planned, sold = (sum(course(at_ms) for at_ms in times) for course in (programme.planned, programme.intensity))
    share = ATTAINABLE * programme.least_lead(phase.start_ms, phase.end_ms)
    assert sold < 0.75 * share * planned
    behind = programme.behind_from(phase, share)
    assert phase.start_ms < behind < phase.start_ms + (phase.end_ms - phase.start_ms) // 2
    whole = range(programme.start_ms, programme.end_ms, 60_000)
    course = sum(programme.intensity(at) * programme.business(at) / programme.planned(at) for at in whole)
    assert course > 1.05 * ATTAINABLE * len(whole), "the whole stays on course"
