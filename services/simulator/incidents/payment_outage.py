"""`payment_outage`: most payments of a channel fail; people try again, some minutes later, some never."""

from __future__ import annotations

from services.simulator.conditions import Trouble
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import Timeline

_SHARE = 0.92


def _begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    channel = begun.channel(stage)
    trouble = Trouble(begun.number("share", _SHARE), stage.rng)
    stage.conditions.payments[channel] = trouble
    details = {"share": trouble.share, "payments_failed": 0}

    def end(_: Timeline) -> None:
        stage.conditions.payments.pop(channel, None)
        details["payments_failed"] = trouble.hits

    return Course({"channel": channel}, details, end=end, onset=lambda: trouble.first_ms)


PAYMENT_OUTAGE = Kind(
    "payment_outage",
    "payment_failure",
    300,
    _begin,
    frozenset({"channel", "share"}),
    consequences=("conversion_drop", "gmv_behind_target", "roi_below_floor"),
    needs_crowd=True,
)
