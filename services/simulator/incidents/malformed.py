"""`malformed`: a producer sends records that must be refused."""

from __future__ import annotations

import msgspec

from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import SECOND_MS, Timeline

_PER_SECOND = 3
_KIND = "orders"


def _body(number: int, campaign_id: str, key: str) -> bytes:
    order = {
        "event_id": f"bad-{key}",
        "event_name": "order_paid",
        "event_time": "2026-11-11T00:00:00+08:00",
        "campaign_id": campaign_id,
        "user_id": f"u-{key}",
        "order_id": key,
        "value": "19.90",
        "currency": "CNY",
    }
    wrong: tuple[dict[str, object], ...] = (
        {**order, "value": "-1"},
        {**order, "event_name": "order_teleported"},
        {**order, "currency": "XXX"},
        {name: value for name, value in order.items() if name != "user_id"},
    )
    # Every fifth is cut off in the middle.
    return msgspec.json.encode(order)[:60] if number % 5 == 4 else msgspec.json.encode(wrong[number % 5 % len(wrong)])


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    per_second = begun.count("count", _PER_SECOND)
    sent = 0

    def go_on(timeline: Timeline) -> None:
        nonlocal sent
        for _ in range(per_second):
            key = timeline.next_id("bad")
            at = timeline.now_ms + stage.rng.randrange(SECOND_MS)
            timeline.plan(at, _KIND, key, _body(sent, timeline.campaign_id, key))
            sent += 1

    return Course({"topic": stage.topic_prefix + _KIND}, {"per_second": per_second}, go_on)


MALFORMED = Kind("malformed", "dead_letters", 120, _begin, frozenset({"count"}), about_pipeline=True)
