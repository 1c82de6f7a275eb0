"""`spike`: a channel has many times its page views for a while; people look and leave."""

from __future__ import annotations

from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import SECOND_MS, Timeline
from services.simulator.visits import Visit

_FACTOR = 8.0
_TRUSTED_SECONDS = 10


def usual_views(timeline: Timeline, channel: str) -> float:
    """A channel's page views a second over the last minute."""
    seconds = list(timeline.page_views)[-60:]
    return sum(second[channel] for second in seconds) / max(len(seconds), _TRUSTED_SECONDS)


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    rng = stage.rng
    channel = begun.channel(stage)
    factor = begun.number("factor", _FACTOR)
    usual = usual_views(timeline, channel)
    owed = 0.0

    def go_on(timeline: Timeline) -> None:
        nonlocal owed
        owed += (factor - 1) * usual
        while owed >= 1:
            at = timeline.now_ms + rng.randrange(SECOND_MS)
            visit = Visit(timeline, rng, timeline.next_id("v"), channel, at)
            visit.page("/flash-sale")
            owed -= 1
            # They look at one thing and leave, all before the spike ends.
            if visit.wait(500) < begun.ends_ms and owed >= 1 and rng.random() < 0.6:
                visit.item("view_item", stage.catalogue.draw(rng))
                owed -= 1

    return Course({"channel": channel}, {"factor": factor}, go_on)


SPIKE = Kind("spike", "traffic_spike", 30, _begin, frozenset({"channel", "factor"}), consequences=("conversion_drop",))
