"""`budget_overrun` and `roi_floor`: ads cost many times the usual, or a channel sells for next to nothing."""

from __future__ import annotations

from services.simulator.conditions import Markup
from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import Timeline

_FACTOR = 8.0
_PRICE = 0.02
_COST = 3.0


def _begin_overrun(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    channel = begun.channel(stage)
    markup = Markup(begun.number("factor", _FACTOR))
    stage.conditions.spend[channel] = markup

    def end(_: Timeline) -> None:
        stage.conditions.spend.pop(channel, None)

    return Course({"channel": channel}, {"factor": markup.factor}, end=end, onset=lambda: markup.first_ms)


def _begin_floor(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    # A coupon that may be used without a limit, say: as many orders as ever, hardly any money, ads at full speed.
    channel = begun.channel(stage)
    price = Markup(begun.number("share", _PRICE))
    stage.conditions.prices[channel] = price
    stage.conditions.spend[channel] = Markup(_COST)

    def end(_: Timeline) -> None:
        stage.conditions.prices.pop(channel, None)
        stage.conditions.spend.pop(channel, None)

    details = {"price": price.factor, "cost": _COST}
    return Course({"channel": channel}, details, end=end, onset=lambda: price.first_ms)


BUDGET_OVERRUN = Kind(
    "budget_overrun",
    "budget_overrun",
    600,
    _begin_overrun,
    frozenset({"channel", "factor"}),
    consequences=("roi_below_floor",),
)
ROI_FLOOR = Kind(
    "roi_floor",
    "roi_below_floor",
    1200,
    _begin_floor,
    frozenset({"channel", "share"}),
    consequences=("gmv_behind_target", "budget_overrun"),
    needs_crowd=True,
)
