"""`bots`: robots from one region flood a channel with page views under ever new ids, and never buy."""

from __future__ import annotations

from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.incidents.spike import usual_views
from services.simulator.timeline import SECOND_MS, Timeline
from services.simulator.world import REGIONS

_FACTOR = 8.0


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    rng = stage.rng
    channel = begun.channel(stage)
    factor = begun.number("factor", _FACTOR)
    region = REGIONS.draw(rng)
    usual = usual_views(timeline, channel)
    owed = 0.0

    def go_on(timeline: Timeline) -> None:
        nonlocal owed
        owed += (factor - 1) * usual
        while owed >= 1:
            owed -= 1
            user_id = timeline.next_id("b")
            fields = {
                "event_name": "page_view",
                "user_id": user_id,
                "session_id": timeline.next_id("s"),
                "channel": channel,
                "region": region,
                "device_category": "desktop",
                "page_location": "/search",
                "engagement_time_msec": 0,
            }
            timeline.plan(timeline.now_ms + rng.randrange(SECOND_MS), "traffic", user_id, fields)

    return Course({"channel": channel}, {"factor": factor, "region": region}, go_on)


BOTS = Kind("bots", "traffic_spike", 120, _begin, frozenset({"channel", "factor"}), consequences=("conversion_drop",))
