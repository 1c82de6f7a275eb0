"""What is injected shows in the events as the ground truth says, and nowhere else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.clock import to_ms
from services.common.errors import ConfigurationError
from services.simulator.incidents import Incident, demo_incidents, parse_incident
from tests.simulator.stories import Told, a_festival, tell, truths

HISTORY = 600


def injected(*texts: str, seconds: int = 120, **changes: Any) -> tuple[list[Told], list[dict[str, Any]]]:
    """A festival with ten minutes of history and some live seconds, and its ground truth."""
    source = a_festival(incidents=[parse_incident(text) for text in texts], **changes)
    return tell(source, HISTORY + seconds, live_after=HISTORY), truths(source)


def window(truth: dict[str, Any]) -> range:
    """The milliseconds of an incident."""
    return range(*(to_ms(datetime.fromisoformat(truth[name])) for name in ("starts_at", "ends_at")))


def is_view(one: Told) -> bool:
    """Whether an event counts as a page view."""
    return one.body["event_name"] in ("page_view", "view_item")


def test_a_spike_multiplies_the_page_views_of_its_channel_and_of_no_other() -> None:
    told, [truth] = injected("spike@30:30:channel=live:factor=8")
    assert (truth["rule"], truth["labels"]["channel"]) == ("traffic_spike", "live")
    during = window(truth)
    before = range(during.start - 300_000, during.start)
    for channel, low, high in [("live", 6.5, 9.5), ("app", 0.75, 1.3), ("web", 0.7, 1.4)]:
        views = [one.at_ms for one in told if is_view(one) and one.body["channel"] == channel]
        rates = [sum(at in span for at in views) / len(span) for span in (during, before)]
        assert low < rates[0] / rates[1] < high, channel


def test_a_sold_out_item_stands_at_zero_everywhere_sells_nothing_and_comes_back() -> None:
    told, [truth] = injected("stock_out@20:40")
    item, during = truth["labels"]["item_id"], window(truth)
    levels = [one for one in told if one.kind == "inventory" and one.key == item]
    assert truth["rule"] == "stock_out"
    first = [one for one in levels if during.start <= one.at_ms < during.start + 1000]
    assert {one.body["warehouse_id"] for one in first} == {"wh-east", "wh-south", "wh-north"}
    assert all((one.body["available"] == 0) == (one.at_ms in during) for one in levels)
    restocked = {one.body["warehouse_id"] for one in levels if during.stop <= one.at_ms < during.stop + 1000}
    assert restocked == {"wh-east", "wh-south", "wh-north"}
    assert not [
        one
        for one in told
        if one.at_ms in during
        and one.body["event_name"] == "order_created"
        and item in {line["item_id"] for line in one.body["items"]}
    ]


def test_refunds_burst_on_one_item_each_of_an_order_that_was_paid_and_not_refunded_before() -> None:
    told, [truth] = injected("refund_burst@30:40", events_per_second=200.0)
    item, during = truth["labels"]["item_id"], window(truth)
    paid: set[str] = set()
    refunded: list[Told] = []
    for one in told:
        if one.body["event_name"] == "order_paid":
            paid.add(one.key)
        if one.body["event_name"] == "order_refunded":
            assert one.key in paid
            paid.discard(one.key)
            refunded.append(one)
    burst = [one for one in refunded if one.body["reason"] == "quality_defect"]
    assert truth["refunds"] == len(burst) == 48
    assert all(one.at_ms in during and [line["item_id"] for line in one.body["items"]] == [item] for one in burst)


def test_a_silence_is_complete_and_nothing_is_lost_by_it() -> None:
    told, [truth] = injected("silence@30:25", seconds=300)
    calm, _ = injected(seconds=275)
    during = window(truth)
    assert truth["rule"] == "data_silence"
    assert len(during) == 25_000
    assert not [one for one in told if one.at_ms in during]
    assert {one.kind for one in told if during.stop <= one.at_ms < during.stop + 10_000} >= {"traffic", "orders"}
    created = {one.key for one in told if one.body["event_name"] == "order_created"}
    assert created >= {one.key for one in told if one.body["event_name"] == "order_paid"}
    assert abs(len(told) - len(calm)) < 0.05 * len(calm)


def test_incidents_wait_for_the_live_part() -> None:
    source = a_festival(incidents=[parse_incident("spike@0:30"), parse_incident("silence@60:10")])
    tell(source, 300)
    assert truths(source) == []


def test_the_demo_shows_one_of_each_in_four_minutes_and_again_five_minutes_later() -> None:
    source = a_festival(incidents=demo_incidents())
    tell(source, 900, live_after=120)
    offsets = [(t["type"], (window(t).start - source.timeline.start_ms) // 1000 - 120) for t in truths(source)]
    assert offsets == [
        (name, offset + again)
        for again in (0, 300, 600)
        for name, offset in [("spike", 45), ("stock_out", 80), ("refund_burst", 130), ("silence", 200)]
        if offset + again < 780
    ]


@given(
    name=st.sampled_from(["spike", "stock_out", "refund_burst", "silence"]),
    offset=st.integers(0, 10**6),
    seconds=st.integers(1, 10**5),
)
def test_an_incident_is_read_as_it_is_written(name: str, offset: int, seconds: int) -> None:
    assert parse_incident(f"{name}@{offset}:{seconds}") == Incident(name, offset, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "", "spike", "flood@3", "spike@x", "spike@3:0", "spike@3:5:factor", "spike@3:5:factor=eight",
        "brushing@3:5:by=batch", "coupon_abuse@3:by=luck", "drop@3:5:share=0", "drop@3:5:share=1.1",
        "spike@3:5:factor=1", "silence@3:5:channel=app", "refund_burst@3:5:count=0", "spike@-3",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="incident"):
        parse_incident(text)


@pytest.mark.parametrize("text", ["spike@3:5:channel=fax", "stock_out@3:5:item=none", "refund_burst@3:item=none"])
def test_what_does_not_exist_cannot_be_hit(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no "):
        a_festival(incidents=[parse_incident(text)])


def test_a_silence_over_another_incident_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="overlaps"):
        a_festival(incidents=[parse_incident("spike@30:30"), parse_incident("silence@50:20")])
