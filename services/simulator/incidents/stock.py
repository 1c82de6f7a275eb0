"""`stock_out` and `stock_low`: an item stands at zero, or below its safety stock, in all warehouses."""

from __future__ import annotations

from services.simulator.incidents.kind import Begun, Course, Kind, Stage
from services.simulator.timeline import Timeline

_REPORT_SECONDS = 5
_LOW = (0.9, 0.4)
"""Share of the safety stock that is left when stock begins to be low, and at the end."""


def _item(stage: Stage, begun: Begun, first: int) -> str:
    popular = [item.item_id for item in stage.catalogue.items if stage.shop.stock.knows(item.item_id)]
    return begun.options.get("item", popular[(first + begun.turn % 5) % len(popular)])


def _begin_out(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    stock = stage.shop.stock
    item_id = _item(stage, begun, 0)
    stock.sell_out(timeline, item_id)
    passed = 0

    def go_on(timeline: Timeline) -> None:
        nonlocal passed
        passed += 1
        if passed % _REPORT_SECONDS == 0:
            stock.report(timeline, item_id)

    return Course({"item_id": item_id}, {}, go_on, lambda timeline: stock.restock(timeline, item_id))


def _begin_low(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
    stock = stage.shop.stock
    item_id = _item(stage, begun, 5)
    high, low = _LOW
    stock.hold(timeline, item_id, high)

    def go_on(timeline: Timeline) -> None:
        passed = (timeline.now_ms - begun.starts_ms) // 1000
        if passed and passed % _REPORT_SECONDS == 0:
            stock.hold(timeline, item_id, high - (high - low) * passed / begun.seconds)

    return Course({"item_id": item_id}, {}, go_on, lambda timeline: stock.restock(timeline, item_id))


STOCK_OUT = Kind("stock_out", "stock_out", 60, _begin_out, frozenset({"item"}))
STOCK_LOW = Kind("stock_low", "stock_low", 120, _begin_low, frozenset({"item"}))
