"""What is muted and when: matchers, hours that come again, and an end before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.hours import DAYS, hours_of
from services.alerts.matchers import Matcher, all_hold, matcher_of, stated
from services.alerts.silences import Silence
from services.common.clock import to_ms
from services.common.store import Store
from tests.alerts.delivery.notices import notice
from tests.alerts.shop import Shop
from tests.alerts.test_service import advance, serving


@pytest.mark.parametrize(
    ("given", "value", "holds"),
    [
        ("stock_out", "stock_out", True),
        ("stock_out", "stock_low", False),
        ("a.c", "abc", False),
        ({"value": "stock_.*", "isRegex": True}, "stock_low", True),
        ({"value": "stock", "isRegex": True}, "stock_low", False),
        ({"value": "a|b", "isRegex": True}, "b", True),
        ({"value": "a|b", "isRegex": True}, "bc", False),
        ({"value": "app", "isEqual": False}, "web", True),
        ({"value": "app", "isEqual": False}, "", True),
        ({"value": "a.*", "isRegex": True, "isEqual": False}, "app", False),
        # Takes for ever in an engine that goes back and tries again.
        ({"value": "(a+)+$", "isRegex": True}, "a" * 5_000 + "!", False),
    ],
)
def test_matchers(given: object, value: str, holds: bool) -> None:
    matcher = matcher_of(given)
    matcher.check()
    assert matcher.holds(value) is holds
    assert matcher_of(stated(matcher)) == matcher
    assert all_hold({"label": matcher, "other": Matcher("x")}, {"label": value, "other": "x"}) is holds


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        Matcher("(", regex=True).check()


CLOCK_TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59))


@given(CLOCK_TIMES, CLOCK_TIMES, st.sets(st.sampled_from(DAYS), min_size=1), st.integers(0, 14 * 24 * 60))
def test_hours_come_again(start: tuple[int, int], end: tuple[int, int], days: set[str], minutes: int) -> None:
    """Held against spans that are laid out day by day."""
    hours = hours_of(
        {"hours": "{:02}:{:02}-{:02}:{:02}".format(*start, *end), "days": sorted(days), "timezone": "Asia/Shanghai"}
    )
    assert hours is not None
    # Shanghai is eight hours ahead all the year round.
    first = datetime(2026, 11, 1, tzinfo=UTC)
    moment = first + timedelta(minutes=minutes)
    local = moment + timedelta(hours=8)
    within = False
    for offset in range(-2, 17):
        day = first + timedelta(days=offset)
        if DAYS[day.weekday()] not in days:
            continue
        begins = day + timedelta(hours=start[0], minutes=start[1])
        ends = day + timedelta(days=int(end <= start), hours=end[0], minutes=end[1])
        within = within or begins <= local < ends
    assert hours.holds(to_ms(moment)) is within


def test_a_window_is_open_in_its_hours_and_within_its_time() -> None:
    moment = to_ms(datetime(2026, 11, 11, 19, 0, tzinfo=UTC))
    repeats = {"hours": "02:00-04:00", "days": [], "timezone": "Asia/Shanghai"}
    silence = Silence("s", {"rule": Matcher("stock_out")}, moment - 1, moment + 10 * 86_400_000, "lin", "", 0, repeats)
    assert silence.matches(notice().alert)
    hour = 3_600_000
    assert [silence.state(moment + n * hour) for n in (-1, 0, 1, 2, 24, 240)] == [
        "pending", "active", "pending", "pending", "active", "expired",
    ]  # fmt: skip
    assert "maintenance" in silence.reason


async def test_a_silence_is_ended_by_name_and_over_http(store: Store) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences"):
        store.command(f"TRUNCATE TABLE {table}")
    shop = Shop(store, {})
    shop.report()
    shop.set_stock("sku-1", 100)
    async with serving(store, shop) as (service, client):
        matchers = {"rule": {"value": "stock_.*", "isRegex": True}, "item_id": {"value": "sku-2", "isEqual": False}}
        body = {"matchers": matchers, "duration": "30d", "by": "lin", "comment": "stocktaking"}
        made = (await client.post("/api/v1/silences", json=body)).json()
        assert made["matchers"] == {
            "rule": {"value": "stock_.*", "isRegex": True, "isEqual": True},
            "item_id": {"value": "sku-2", "isRegex": False, "isEqual": False},
        }
        shop.set_stock("sku-1", 0)
        (fired,) = await advance(shop, service, 5)
        assert (fired.notice, fired.note) == ("", "silenced by lin: stocktaking")
        path = f"/api/v1/silences/{made['id']}"
        assert (await client.delete(path)).status_code == 422
        assert (await client.delete("/api/v1/silences/none?by=wei")).status_code == 404
        ended = (await client.delete(path, params={"by": "wei"})).json()
        assert (ended["state"], ended["ended_by"]) == ("expired", "wei")
    async with serving(store, shop) as (service, client):
        (row,) = (await client.get("/api/v1/silences")).json()["rows"]
        assert (row["state"], row["by"], row["ended_by"]) == ("expired", "lin", "wei")
        (paged,) = await advance(shop, service, 2)
        assert (paged.notice, paged.note) == ("firing", "its silence has ended")
        bad = {"matchers": {"rule": {"value": "(", "isRegex": True}}, "duration": "1h", "by": "lin"}
        answer = await client.post("/api/v1/silences", json=bad)
        assert (answer.status_code, answer.json()["field"]) == (422, "matchers.rule")
        window = {
            "matchers": {"campaign_id": shop.campaign},
            "repeats": {"hours": "00:00-00:00"},
            "duration": "90d",
            "by": "lin",
        }
        shown = (await client.post("/api/v1/silences", json=window)).json()
        assert (shown["state"], shown["repeats"]["timezone"]) == ("active", "Asia/Shanghai")
    # Ended longer ago than it is remembered, it does not come back.
    shop.now += 3 * 86_400_000
    async with serving(store, shop) as (service, client):
        assert [row["id"] for row in (await client.get("/api/v1/silences")).json()["rows"]] == [shown["id"]]
