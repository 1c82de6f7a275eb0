"""Baselines: compared with the wrong hours, a good day looks bad and budget is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metrics import Value
from services.common.clock import MINUTE_MS, to_datetime, to_ms
from services.common.errors import InvalidRequest
from services.common.query.buckets import bucket_starts
from services.common.store import Store
from services.metrics.baselines.choice import Choice, parse_baseline
from services.metrics.baselines.comparison import difference, ratio
from services.metrics.baselines.shifts import ByClock
from tests.metrics.conftest import NOW_MS, Desk
from tests.support.rows import insert_rows, money

NOW = to_datetime(NOW_MS)
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
# Between them, and often near the first, clocks are changed.
MOMENTS = st.integers(
    to_ms(datetime(2026, 3, 1, tzinfo=UTC)) // MINUTE_MS, to_ms(datetime(2026, 11, 9, tzinfo=UTC)) // MINUTE_MS
)


@given(minute=MOMENTS, days=st.sampled_from([1, 7]), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_days_earlier_the_clock_shows_the_same_or_jumps_over_it(minute: int, days: int, zone: ZoneInfo) -> None:
    shift, moment = ByClock(days, zone), minute * MINUTE_MS

    def wall(ms: int) -> datetime:
        return to_datetime(ms).astimezone(zone).replace(tzinfo=None, fold=0)

    then, wanted = shift.moment(moment), wall(moment) - timedelta(days=days)
    if shift.counterpart(moment) is None:
        assert wall(then - 1) < wanted < wall(then)
    else:
        assert shift.counterpart(moment) == then
        assert wall(then) == wanted
        assert wall(then - 3_600_000) != wanted, "the first of two"


@given(
    day=st.integers(0, 250).map(lambda day: datetime(2026, 3, 1) + timedelta(days=day)),  # noqa: DTZ001
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    minutes=st.sampled_from([1, 60, 360, 1440]),
)
def test_the_spans_of_a_day_meet_the_spans_of_the_day_before(day: datetime, zone: ZoneInfo, minutes: int) -> None:
    """A series by day must not be off by the hour that the clock was changed by."""
    shift = ByClock(1, zone)
    start, end = (to_ms((day + timedelta(days=n)).replace(tzinfo=zone)) for n in (0, 1))
    before = to_ms((day - timedelta(days=1)).replace(tzinfo=zone))
    assert (shift.moment(start), shift.moment(end)) == (before, start)
    spans = shift.spans((), shift.moment(start), shift.moment(end), minutes)
    assert spans[0] == before
    if (end - start) == (start - before) == 86_400_000:
        assert [shift.counterpart(moment) for moment in bucket_starts(start, end, minutes, zone)] == list(spans)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        (None, Choice("campaign")),
        ("none", Choice("none")),
        ("campaign", Choice("campaign")),
        ("campaign:a.b-c_1", Choice("campaign", "a.b-c_1")),
        ("yesterday", Choice("yesterday")),
        ("last_week:x", Choice("last_week", "x")),
    ],
)
def test_a_baseline_is_chosen_by_kind_and_campaign(text: str | None, choice: Choice) -> None:
    assert parse_baseline(text) == choice


@pytest.mark.parametrize("text", ["", "none:x", "campaign:", "campaign:a b", "tomorrow", "yesterday:a:b", "Campaign"])
def test_another_baseline_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_baseline(text)
    assert refusal.value.field == "baseline"


AMOUNTS = st.none() | st.decimals(0, 10**9, places=2)


@given(value=AMOUNTS, other=AMOUNTS)
def test_difference_and_ratio_are_undefined_only_where_they_must_be(value: Value, other: Value) -> None:
    assert (difference(value, other) is None) == (value is None or other is None)
    assert (ratio(value, other) is None) == (value is None or not other)


def paid(campaign: str, moment: datetime, cents: int, channel: str = "app") -> dict[str, Any]:
    return {
        "event_id": f"{moment.isoformat()}-{cents}",
        "event_name": "order_paid",
        "event_time": moment,
        "campaign_id": campaign,
        "user_id": f"user-{cents}",
        "channel": channel,
        "region": "CN-31",
        "value": money(cents),
    }


def complete(store: Store, moment: datetime) -> None:
    """Every kind of event is in up to the moment."""
    store.command("TRUNCATE TABLE ingest_progress")
    for kind in ("traffic", "orders", "coupons", "inventory", "spend"):
        store.command(
            "INSERT INTO ingest_progress SELECT 'baselines.' || {kind:String}, 0, {kind:String}, 1, 1, "
            "fromUnixTimestamp64Milli({at:Int64}, 'UTC'), now64(3)",
            {"kind": kind, "at": to_ms(moment)},
        )


YEAR = {"name": "shop", "start": "2026-01-01T00:00:00+08:00", "end": "2027-01-01T00:00:00+08:00", "gross_margin": 0.5}
SINCE = {"from": "2026-11-11T06:00:00+08:00", "to": "2026-11-11T20:00:00+08:00"}


async def test_today_is_compared_with_the_same_hours_of_yesterday_and_no_further(store: Store, desk: Desk) -> None:
    day = timedelta(days=1)
    hour = NOW - timedelta(hours=1)
    insert_rows(
        store,
        "order_events",
        [
            paid(desk.campaign, hour, 300),
            paid(desk.campaign, hour - day, 200),
            paid(desk.campaign, NOW + timedelta(seconds=20) - day, 40),
            # Later yesterday than it is now, and earlier than the period.
            paid(desk.campaign, NOW + timedelta(minutes=2) - day, 1000),
            paid(desk.campaign, hour - timedelta(hours=2) - day, 2000),
            paid(desk.campaign, hour - 7 * day, 50),
        ],
    )
    await desk.client.put(desk.path, json=YEAR)
    url = f"{desk.path}/overview"
    baseline = (await desk.client.get(url, params={**SINCE, "baseline": "yesterday"})).json()["baseline"]
    assert (baseline["kind"], baseline["campaign_id"]) == ("yesterday", desk.campaign)
    assert (baseline["from"], baseline["to"]) == ("2026-11-10T06:00:00+08:00", "2026-11-10T08:01:00+08:00")
    assert baseline["metrics"]["paid_gmv"] == "2.40"
    assert baseline["difference"]["paid_gmv"] == "0.60"
    assert baseline["difference"]["orders_paid"] == -1
    assert baseline["ratio"]["paid_gmv"] == pytest.approx(1.25)
    assert baseline["ratio"]["uv"] is None
    assert baseline["difference"]["roas"] is None
    week = (await desk.client.get(url, params={**SINCE, "baseline": "last_week"})).json()["baseline"]
    assert week["metrics"]["paid_gmv"] == "0.50"
    assert week["from"] == "2026-11-04T06:00:00+08:00"
    assert (await desk.client.get(url, params={**SINCE, "baseline": "none"})).json()["baseline"] is None
    assert (await desk.client.get(url, params=SINCE)).json()["baseline"] is None


async def test_past_days_may_be_those_of_another_campaign(store: Store, desk: Desk) -> None:
    other = f"{desk.campaign}-other"
    then = NOW - timedelta(days=7, hours=1)
    insert_rows(store, "order_events", [paid(other, then, 70), paid(desk.campaign, then, 1)])
    await desk.client.put(desk.path, json=YEAR)
    query = {**SINCE, "baseline": f"last_week:{other}"}
    baseline = (await desk.client.get(f"{desk.path}/overview", params=query)).json()["baseline"]
    assert baseline["campaign_id"] == other
    assert baseline["metrics"]["paid_gmv"] == "0.70"
    answer = await desk.client.get(f"{desk.path}/overview", params={"baseline": "campaign:nobody-knows"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "baseline"


async def test_phases_move_with_the_days(store: Store, desk: Desk) -> None:
    hour = NOW - timedelta(hours=1)
    day = timedelta(days=1)
    insert_rows(store, "order_events", [paid(desk.campaign, hour, 300), paid(desk.campaign, hour - day, 200)])
    phases = [{"name": "morning", "start": "2026-11-11T06:30:00+08:00", "end": "2026-11-11T07:30:00+08:00"}]
    await desk.client.put(desk.path, json={**YEAR, "phases": phases})
    query = {**SINCE, "baseline": "yesterday", "phase": "morning"}
    answer = (await desk.client.get(f"{desk.path}/overview", params=query)).json()
    assert answer["metrics"]["paid_gmv"] == "3.00"
    assert answer["baseline"]["metrics"]["paid_gmv"] == "2.00"


async def test_a_series_stands_beside_the_same_distance_from_the_start_of_another_campaign(
    store: Store, desk: Desk
) -> None:
    before = f"{desk.campaign}-before"
    start, earlier = datetime(2026, 11, 10, 22, tzinfo=UTC), datetime(2025, 11, 10, 3, 30, tzinfo=UTC)
    insert_rows(
        store,
        "order_events",
        [
            paid(desk.campaign, start + timedelta(minutes=61), 500),
            paid(desk.campaign, start + timedelta(minutes=62), 500, "web"),
            paid(before, earlier + timedelta(minutes=62), 250),
            paid(before, earlier + timedelta(minutes=130), 100),
        ],
    )
    complete(store, NOW)
    for campaign, begin in ((desk.campaign, start), (before, earlier)):
        body = {"name": campaign, "start": begin.isoformat(), "end": (begin + timedelta(days=1)).isoformat()}
        declared = {**body, "baseline_campaign_id": before} if campaign == desk.campaign else body
        await desk.client.put(f"/api/v1/campaigns/{campaign}", json=declared)
    query = {"metrics": "paid_gmv,aov", "interval": "1h", "to": "2026-11-11T02:00:00Z", "baseline": "campaign"}
    url = f"{desk.path}/timeseries"
    answer = (await desk.client.get(url, params=query)).json()
    assert answer["columns"] == [
        "time",
        "paid_gmv",
        "aov",
        *(f"{name}_{what}" for name in ("paid_gmv", "aov") for what in ("baseline", "difference", "ratio")),
    ]
    rows = answer["rows"]
    assert [row["paid_gmv"] for row in rows] == ["0.00", "10.00", None, None]
    assert [row["paid_gmv_baseline"] for row in rows] == ["0.00", "2.50", "0.00", None]
    assert [row["paid_gmv_difference"] for row in rows] == ["0.00", "7.50", None, None]
    assert [row["paid_gmv_ratio"] for row in rows] == [None, 4.0, None, None]
    assert [row["aov_ratio"] for row in rows] == [None, 2.0, None, None]
    grouped = (await desk.client.get(url, params={**query, "group_by": "channel"})).json()["rows"]
    found = {(row["time"][11:13], row["channel"]): row["paid_gmv_baseline"] for row in grouped}
    assert found["07", "app"] == "2.50"
    assert found["07", "web"] == "0.00"
    plain = (await desk.client.get(url, params={"metrics": "paid_gmv"})).json()
    assert plain["columns"] == ["time", "paid_gmv"]
    whole = (await desk.client.get(url.replace("timeseries", "overview"))).json()["baseline"]
    # 02:00:30 into the campaign: the current minute counts here and there.
    assert whole["kind"] == "campaign"
    assert whole["metrics"]["paid_gmv"] == "2.50"


async def test_an_hour_that_yesterdays_clock_skipped_has_nothing_to_compare(store: Store, desk: Desk) -> None:
    """Berlin, 29 March 2026: the clock goes from 02:00 to 03:00."""
    zone = ZoneInfo("Europe/Berlin")
    desk.now_ms = to_ms(datetime(2026, 3, 30, 12, tzinfo=UTC))
    rows = [paid(desk.campaign, datetime(2026, 3, 30, hour, 5, tzinfo=zone), 100 + hour) for hour in range(5)]
    rows += [paid(desk.campaign, datetime(2026, 3, 29, hour, 5, tzinfo=zone), 10 + hour) for hour in (0, 1, 3, 4)]
    insert_rows(store, "order_events", rows)
    await desk.client.put(desk.path, json={**YEAR, "timezone": "Europe/Berlin"})
    query = {"from": "2026-03-30T00:00:00+02:00", "to": "2026-03-30T05:00:00+02:00", "metrics": "paid_gmv"}
    answer = await desk.client.get(
        f"{desk.path}/timeseries", params={**query, "interval": "1h", "baseline": "yesterday"}
    )
    assert [Decimal(row["paid_gmv_baseline"] or -1) for row in answer.json()["rows"]] == [
        Decimal("0.10"),
        Decimal("0.11"),
        Decimal(-1),
        Decimal("0.13"),
        Decimal("0.14"),
    ]
