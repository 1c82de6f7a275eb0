"""`trough`: people come to a channel and put things in the cart, but the checkout takes no order."""

from __future__ import annotations

from services.simulator.conditions import Trouble
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import Timeline

_SHARE = 0.97


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    channel = begun.channel(stage)
    trouble = Trouble(begun.number("share", _SHARE), stage.rng)
    stage.conditions.checkout[channel] = trouble
    details = {"share": trouble.share, "orders_lost": 0}

    def end(_: Timeline) -> None:
        stage.conditions.checkout.pop(channel, None)
        details["orders_lost"] = trouble.hits

    return Course({"channel": channel}, details, end=end, onset=lambda: trouble.first_ms)


TROUGH = Kind(
    "trough",
    "conversion_drop",
    900,
    _begin,
    frozenset({"channel", "share"}),
    consequences=("gmv_behind_target", "roi_below_floor"),
    needs_crowd=True,
)
