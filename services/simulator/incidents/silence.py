"""`silence`: nothing happens at all for a while, and all that was to happen happens later."""

from __future__ import annotations

from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import Timeline


def _begin(_: Stage, timeline: Timeline, begun: Begun) -> Course:
    timeline.pause(begun.ends_ms - begun.starts_ms)
    return Course()


SILENCE = Kind("silence", "data_silence", 40, _begin)
