"""Pacing: a campaign that is told to be on course when it is behind misses its target."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.store import Store
from services.metrics.pacing.goals import Goal, Scope, State
from services.metrics.pacing.pace import Course, Part, pace
from tests.metrics.conftest import NOW_MS, Desk
from tests.metrics.test_baselines import complete, paid
from tests.support.rows import insert_rows, money

NOW = to_datetime(NOW_MS)
SPAN = 120


def goal(metric: str = "gmv", target: str = "1200.00", scope: Scope = Scope.CAMPAIGN) -> Goal:
    return Goal(metric, scope, "", "", 0, SPAN * MINUTE_MS, Decimal(target))


def course(amounts: list[int], shapes: list[int] | None = None) -> Course:
    """Amounts by minute from the start; the baseline's over the whole span."""
    parts = [
        Part(n * MINUTE_MS, (n + 1) * MINUTE_MS, Decimal(x), None if shapes is None else Decimal(shapes[n]))
        for n, x in enumerate(amounts)
    ]
    then = None if shapes is None else Decimal(sum(shapes[: len(amounts)]))
    total = None if shapes is None else Decimal(sum(shapes))
    return Course(len(amounts) * MINUTE_MS, Decimal(sum(amounts)), parts, then, total)


@given(amounts=st.lists(st.integers(0, 50), max_size=SPAN), now=st.integers(-5, SPAN + 5), data=st.data())
def test_what_is_told_of_a_goal_agrees_with_itself(amounts: list[int], now: int, data: st.DataObject) -> None:
    shapes = data.draw(st.none() | st.lists(st.integers(0, 9), min_size=SPAN, max_size=SPAN))
    found = pace(goal(), course(amounts, shapes), now * MINUTE_MS)
    state = State.UPCOMING if now < 0 else State.CURRENT if now < SPAN else State.ENDED
    assert found.state is state
    value, expected = Decimal(sum(amounts)), found.expected
    assert (found.value, found.attained) == (value, float(value / 1200))
    assert expected is not None
    assert 0 <= expected <= 1200
    assert found.ahead == value - Decimal(expected)
    assert found.behind is (value < expected)
    assert (found.needed_per_minute is None) == (state is State.ENDED or len(amounts) == SPAN)
    if found.needed_per_minute is not None:
        reached = float(value) + found.needed_per_minute * (SPAN - len(amounts))
        assert reached == pytest.approx(max(1200.0, float(value)))
    if found.projected is not None:
        assert found.projected >= value
    if len(amounts) == SPAN:
        assert (found.projected_low, found.projected, found.projected_high) == (value, value, value)
        assert expected == 1200


def test_expected_follows_the_baseline_and_without_one_the_clock() -> None:
    linear = pace(goal(), course([10] * 30), 30 * MINUTE_MS)
    assert (linear.expected, linear.expected_from) == (Decimal("300.00"), "linear")
    early = pace(goal(), course([10] * 30, [3] * 30 + [1] * 90), 30 * MINUTE_MS)
    assert (early.expected, early.expected_from, early.behind) == (Decimal("600.00"), "baseline", True)
    assert (early.projected, early.projected_low) == (Decimal("600.00"), Decimal("600.00"))
    assert linear.projected == Decimal("1200.00")
    empty = pace(goal(), course([10] * 30, [0] * SPAN), 30 * MINUTE_MS)
    assert empty.expected_from == "linear"


def test_the_rate_is_that_of_late_and_a_budgets_that_of_the_last_hour() -> None:
    spent = [0] * 20 + [6] * 60 + [2] * 15
    assert pace(goal(), course(spent), 95 * MINUTE_MS).rate_per_minute == pytest.approx(2)
    budget = goal("ad_cost", "500.00", Scope.BUDGET)
    found = pace(budget, course(spent), 95 * MINUTE_MS)
    assert found.rate_per_minute == pytest.approx((45 * 6 + 15 * 2) / 60)
    assert found.exhausted_ms == 95 * MINUTE_MS + (500 - 390) / 5 * MINUTE_MS
    assert pace(goal("ad_cost", "900.00", Scope.BUDGET), course(spent), 95 * MINUTE_MS).exhausted_ms is None
    gone = pace(goal("ad_cost", "60.00", Scope.BUDGET), course(spent), 95 * MINUTE_MS)
    assert gone.exhausted_ms == 30 * MINUTE_MS
    nothing = goal("ad_cost", "0.00", Scope.BUDGET)
    assert pace(nothing, course(spent), 95 * MINUTE_MS).exhausted_ms == 21 * MINUTE_MS
    assert pace(nothing, course([0] * 95), 95 * MINUTE_MS).exhausted_ms is None


@pytest.mark.parametrize(("metric", "projected"), [("roas", 4.2), ("uv", None)])
def test_of_ratios_and_distinct_counts_only_what_means_something_is_told(metric: str, projected: float | None) -> None:
    found = pace(goal(metric, "5"), Course(30 * MINUTE_MS, 4.2), 30 * MINUTE_MS)
    assert found.attained == pytest.approx(0.84)
    assert found.projected == projected
    assert (found.expected, found.behind, found.rate_per_minute, found.projected_high) == (None, None, None, None)


def test_visitors_are_expected_as_the_baseline_had_them() -> None:
    found = pace(goal("uv", "1000"), Course(30 * MINUTE_MS, 380, (), 400, 1000), 30 * MINUTE_MS)
    assert (found.expected, found.expected_from, found.behind) == (400.0, "baseline", True)


@pytest.mark.parametrize(
    ("course", "grows"),
    [
        (Course(30 * MINUTE_MS, Decimal(1)), 1000 / SPAN),
        (Course(30 * MINUTE_MS, Decimal(1), (), Decimal(40), Decimal(100), Decimal(43)), 30.0),
        (Course(30 * MINUTE_MS, Decimal(1), (), Decimal(40), Decimal(100), Decimal(40)), 0.0),
        # Net sales of the baseline fell: nobody expects that now.
        (Course(30 * MINUTE_MS, Decimal(1), (), Decimal(40), Decimal(100), Decimal(39)), 0.0),
        # A baseline in which nothing was sold.
        (Course(30 * MINUTE_MS, Decimal(1), (), Decimal(0), Decimal(0), Decimal(0)), 1000 / SPAN),
        (Course(SPAN * MINUTE_MS, Decimal(1)), None),
    ],
)
def test_what_is_expected_grows_within_the_minute(course: Course, grows: float | None) -> None:
    """Catches: a value of this second that is held against what was expected a minute ago."""
    found = pace(goal("gmv", "1000.00"), course, course.until_ms)
    assert found.expected_per_minute == (None if grows is None else pytest.approx(grows))


def test_visitors_are_expected_to_come_as_the_baselines_came_and_never_evenly() -> None:
    found = pace(goal("uv", "1000"), Course(30 * MINUTE_MS, 380, (), 400, 1000, 412), 30 * MINUTE_MS)
    assert found.expected_per_minute == pytest.approx(12)
    assert pace(goal("uv", "1000"), Course(0, 0), 0).expected_per_minute is None


START = NOW - timedelta(hours=2, seconds=30)
BODY: dict[str, Any] = {
    "name": "Double 11",
    "start": START.isoformat(),
    "end": (START + timedelta(hours=4)).isoformat(),
    "phases": [
        {"name": "warm-up", "start": START.isoformat(), "end": (START + timedelta(hours=1)).isoformat()},
        {
            "name": "burst",
            "start": (START + timedelta(hours=1)).isoformat(),
            "end": (START + timedelta(hours=3)).isoformat(),
        },
        {
            "name": "long tail",
            "start": (START + timedelta(hours=3)).isoformat(),
            "end": (START + timedelta(hours=4)).isoformat(),
        },
    ],
    "targets": {
        "total": {"paid_gmv": "100.00", "orders_paid": 50, "aov": 3, "buyers": 40},
        "phases": {
            "warm-up": {"paid_gmv": "20.00"},
            "burst": {"paid_gmv": "60.00"},
            "long tail": {"paid_gmv": "20.00"},
        },
    },
    "budgets": {"app": "10.00", "web": "5.00"},
}


def spend(campaign: str, moment: datetime, cents: int, channel: str) -> dict[str, Any]:
    return {
        "event_name": "ad_spend",
        "event_time": moment,
        "campaign_id": campaign,
        "channel": channel,
        "region": "CN-31",
        "utm_source": "feed",
        "cost": money(cents),
        "impressions": 10,
        "clicks": 1,
    }


async def rows_of(desk: Desk, path: str = "pacing") -> dict[tuple[str, str | None], dict[str, Any]]:
    answer = (await desk.client.get(f"{desk.path}/{path}")).json()
    return {(row["metric"], row["phase"] or row["channel"]): row for row in answer["rows"]}


async def test_every_target_and_budget_is_judged_up_to_the_watermark(store: Store, desk: Desk) -> None:
    minutes = [1, 30, 59, 70, 100, 109, 119]
    insert_rows(store, "order_events", [paid(desk.campaign, START + timedelta(minutes=m), 100 + m) for m in minutes])
    insert_rows(
        store,
        "spend_events",
        [spend(desk.campaign, START + timedelta(minutes=m), 300, "app") for m in (5, 65, 100)],
    )
    await desk.client.put(desk.path, json=BODY)
    # Nine minutes and a half behind: the order of the last minute is not judged yet.
    complete(store, START + timedelta(minutes=110, seconds=30))
    rows = await rows_of(desk)
    whole = rows["paid_gmv", None]
    assert (whole["scope"], whole["state"]) == ("campaign", "current")
    assert datetime.fromisoformat(whole["complete_until"]) == START + timedelta(minutes=110)
    assert whole["value"] == "9.69"
    assert whole["target"] == "100.00"
    assert whole["attained"] == pytest.approx(0.0969)
    assert Decimal(whole["expected"]) == round(Decimal(100 * 110) / 240, 2)
    assert Decimal(whole["ahead"]) == Decimal("9.69") - round(Decimal(100 * 110) / 240, 2)
    assert Decimal(whole["projected"]) == round(Decimal("9.69") * 240 / 110, 2)
    assert Decimal("9.69") <= Decimal(whole["projected_low"]) < Decimal(whole["projected"])
    assert whole["needed_per_minute"] == pytest.approx((100 - 9.69) / 130)
    assert whole["expected_per_minute"] == pytest.approx(100 / 240)
    assert whole["rate_per_minute"] == pytest.approx((2.00 + 2.09) / 15)
    assert whole["behind"] is True
    assert {phase: rows["paid_gmv", phase]["state"] for phase in ("warm-up", "burst", "long tail")} == {
        "warm-up": "ended",
        "burst": "current",
        "long tail": "upcoming",
    }
    assert rows["paid_gmv", "warm-up"]["value"] == rows["paid_gmv", "warm-up"]["projected_high"] == "3.90"
    assert rows["paid_gmv", "warm-up"]["needed_per_minute"] is None
    assert rows["paid_gmv", "burst"]["value"] == "5.79"
    assert rows["paid_gmv", "long tail"]["value"] == "0.00"
    assert rows["paid_gmv", "long tail"]["projected"] is None
    assert rows["orders_paid", None]["value"] == 6
    assert rows["aov", None]["projected"] == pytest.approx(9.69 / 6)
    assert rows["buyers", None]["value"] == 6
    app = rows["ad_cost", "app"]
    assert (app["scope"], app["value"], app["target"]) == ("budget", "9.00", "10.00")
    assert app["rate_per_minute"] == pytest.approx(6.00 / 60)
    assert datetime.fromisoformat(app["exhausted_at"]) == START + timedelta(minutes=120)
    assert (rows["ad_cost", "web"]["value"], rows["ad_cost", "web"]["exhausted_at"]) == ("0.00", None)


async def test_what_is_expected_is_the_share_that_the_baseline_had_reached(store: Store, desk: Desk) -> None:
    before, year = f"{desk.campaign}-before", timedelta(days=365)
    insert_rows(store, "order_events", [paid(desk.campaign, START + timedelta(minutes=5), 1000)])
    insert_rows(
        store,
        "order_events",
        [
            paid(before, START - year + timedelta(minutes=20), 300),
            paid(before, START - year + timedelta(minutes=90), 300),
            paid(before, START - year + timedelta(minutes=200), 400),
            paid(before, START - year + timedelta(minutes=300), 9999),
        ],
    )
    insert_rows(
        store,
        "spend_events",
        [spend(before, START - year + timedelta(minutes=m), 100, "app") for m in (10, 20, 30, 200)],
    )
    body = {
        "name": "before",
        "start": (START - year).isoformat(),
        "end": (START - year + timedelta(hours=9)).isoformat(),
    }
    await desk.client.put(f"/api/v1/campaigns/{before}", json=body)
    await desk.client.put(desk.path, json={**BODY, "baseline_campaign_id": before})
    complete(store, NOW)
    rows = await rows_of(desk)
    whole = rows["paid_gmv", None]
    assert (whole["expected"], whole["expected_from"], whole["ahead"]) == ("60.00", "baseline", "-50.00")
    assert whole["projected"] == "16.67"
    # Of the phase's hours, the baseline had sold all within the first.
    assert rows["paid_gmv", "burst"]["expected"] == "60.00"
    # One buyer bought twice by then, of two over the whole.
    assert rows["buyers", None]["expected"] == pytest.approx(40 / 2)
    assert (rows["ad_cost", "app"]["expected"], rows["ad_cost", "web"]["expected_from"]) == ("7.50", "linear")


async def test_pacing_has_every_form_and_says_what_it_does_not_take(store: Store, desk: Desk) -> None:
    insert_rows(store, "order_events", [paid(desk.campaign, START + timedelta(minutes=5), 1000)])
    assert (await desk.client.get(f"{desk.path}/pacing")).json()["rows"] == []
    await desk.client.put(desk.path, json=BODY)
    rows = (await desk.client.get(f"{desk.path}/pacing")).json()["rows"]
    answer = await desk.client.get(f"{desk.path}/pacing", params={"format": "arrow"})
    table = pa.ipc.open_stream(answer.content).read_all().to_pylist()
    assert [row["value"] for row in table] == [None if r["value"] is None else Decimal(str(r["value"])) for r in rows]
    assert [row["behind"] for row in table] == [row["behind"] for row in rows]
    refusal = await desk.client.get(f"{desk.path}/pacing", params={"channel": "app"})
    assert (refusal.status_code, refusal.json()["errors"][0]["field"]) == (422, "channel")


async def test_a_campaign_that_is_over_keeps_its_pacing(store: Store, desk: Desk) -> None:
    insert_rows(store, "order_events", [paid(desk.campaign, START + timedelta(minutes=m), 1000) for m in (5, 230)])
    await desk.client.put(desk.path, json=BODY)
    desk.now_ms = to_ms(START + timedelta(hours=5))
    complete(store, START + timedelta(hours=5))
    answer = (await desk.client.get(f"{desk.path}/pacing")).json()
    assert answer["complete"] is True
    for row in answer["rows"]:
        assert row["state"] == "ended"
        assert row["needed_per_minute"] is None
        assert row["projected"] == row["value"]
    assert answer["rows"][0]["value"] == "20.00"


async def test_the_longest_campaign_is_read_in_few_parts(store: Store, desk: Desk) -> None:
    """A shop that runs one id all year: minutes would be half a million rows."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    insert_rows(
        store, "order_events", [paid(desk.campaign, start + timedelta(days=d, hours=1), 100) for d in range(300)]
    )
    body = {"name": "year", "start": start.isoformat(), "end": "2027-01-01T00:00:00Z", "targets": {"paid_gmv": "500"}}
    await desk.client.put(desk.path, json=body)
    complete(store, NOW)
    (row,) = (await desk.client.get(f"{desk.path}/pacing")).json()["rows"]
    assert row["value"] == "300.00"
    assert 300 < float(row["projected_low"]) < float(row["projected"]) < float(row["projected_high"]) < 400
