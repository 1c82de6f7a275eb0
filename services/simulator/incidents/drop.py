"""`drop` and `lost`: most of a channel's people stay away, or most of what its collectors saw never arrives."""

from __future__ import annotations

from typing import Any

from services.simulator.conditions import Trouble
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import Timeline
from services.simulator.world import stable_share

_SHARE = 0.9
_COLLECTED = frozenset({"traffic", "orders", "coupons"})


def _gone(user_id: str, begun: Begun, share: float) -> bool:
    """Whether someone is among those who are gone: always the same ones within an incident."""
    return stable_share(f"{begun.starts_ms}/{user_id}") < share


def _begin_drop(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    channel, share = begun.channel(stage), begun.number("share", _SHARE)

    def gate(kind: str, fields: dict[str, Any]) -> bool:
        # Those who were in the shop already are thrown out as well; an order that was made is still paid.
        return kind != "traffic" or fields["channel"] != channel or not _gone(fields["user_id"], begun, share)

    def end(timeline: Timeline) -> None:
        stage.conditions.away.pop(channel, None)
        timeline.gates.remove(gate)

    stage.conditions.away[channel] = share
    timeline.gates.append(gate)
    return Course({"channel": channel}, {"share": share}, end=end)


def _begin_lost(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    channel, share = begun.channel(stage), begun.number("share", _SHARE)
    trouble = Trouble(share, stage.rng)

    def gate(kind: str, fields: dict[str, Any]) -> bool:
        # By person: what one collector saw is gone, its orders with its page views.
        if kind in _COLLECTED and fields["channel"] == channel and _gone(fields["user_id"], begun, share):
            trouble.hits += 1
            return False
        return True

    details = {"share": share, "lost": 0}

    def end(timeline: Timeline) -> None:
        timeline.gates.remove(gate)
        details["lost"] = trouble.hits

    timeline.gates.append(gate)
    return Course({"channel": channel}, details, end=end)


DROP = Kind(
    "drop",
    "traffic_drop",
    180,
    _begin_drop,
    frozenset({"channel", "share"}),
    consequences=("gmv_behind_target", "conversion_drop"),
    needs_crowd=True,
)
LOST = Kind(
    "lost",
    "traffic_drop",
    180,
    _begin_lost,
    frozenset({"channel", "share"}),
    consequences=("gmv_behind_target", "conversion_drop", "roi_below_floor"),
)
