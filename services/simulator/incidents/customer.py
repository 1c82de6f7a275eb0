"""Someone whose every step an incident decides."""

from __future__ import annotations

from services.simulator.catalogue import Item
from services.simulator.incidents.kind import Stage
from services.simulator.orders import Line, Order
from services.simulator.timeline import Timeline
from services.simulator.visits import Visit


def buy(
    stage: Stage,
    timeline: Timeline,
    at_ms: int,
    item: Item,
    *,
    user_id: str,
    channel: str,
    device_id: str | None = None,
    new: bool = False,
) -> tuple[Order, int]:
    """One visit that leads straight to one paid order, some ten seconds later; the order, and when it is made."""
    visit = Visit(timeline, stage.rng, user_id, channel, at_ms)
    visit.page("/")
    visit.wait(1_500)
    visit.item("view_item", item)
    visit.wait(1_500)
    visit.item("add_to_cart", item)
    visit.wait(1_500)
    visit.step("begin_checkout")
    line = Line(item.item_id, item.category, 1, item.price_cents)
    order = Order(
        timeline.next_id("o"),
        value_cents=item.price_cents,
        currency=stage.currency,
        lines=[line],
        fields={
            **visit.base,
            "new_customer": new,
            "utm_source": visit.source,
            "device_id": device_id or f"d-{user_id}",
        },
    )
    created = visit.wait(1_500)
    stage.shop.create(timeline, order, created)
    stage.shop.pay(timeline, order, created + stage.rng.randrange(1_000, 3_000))
    return order, created
