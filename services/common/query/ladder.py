"""The money ladder: what was placed, what of it was paid, and what remains of that."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.question import Question
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition
from services.common.query.suspicion import suspected_orders
from services.common.store import StorePool

RUNGS = ("placed", "paid", "net_of_refunds", "net_of_suspicion")
"""From the largest promise to the money that one can count on."""


@dataclass(frozen=True, slots=True)
class Rung:
    """`amount` and `orders` are None where a filter names a dimension that orders do not carry.

    `share` is the amount's part of what was placed; None when nothing was.
    """

    rung: str
    amount: Decimal | None
    orders: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Sums:
    """Money and numbers of a period's order events; `suspected_*` are the part of suspected orders.

    Placements and payments are counted by event, refunds by order: an order refunded in two parts is one order.
    """

    placed: Decimal
    placed_orders: int
    paid: Decimal
    paid_orders: int
    refunded: Decimal
    refunded_orders: int
    suspected_paid: Decimal
    suspected_paid_orders: int
    suspected_refunded: Decimal
    suspected_refunded_orders: int


def rungs(sums: Sums | None) -> list[Rung]:
    """The ladder from its sums; of None (orders lack a dimension of the question) every rung is empty.

    A refund counts when it happens, so that the lower rungs fall below zero where more is given back than paid.
    """
    if sums is None:
        return [Rung(name, None, None, None) for name in RUNGS]
    net = sums.paid - sums.refunded
    kept = sums.paid_orders - sums.refunded_orders
    steps = (
        (sums.placed, sums.placed_orders),
        (sums.paid, sums.paid_orders),
        (net, kept),
        # What was refunded of a suspected order is gone already.
        (
            net - sums.suspected_paid + sums.suspected_refunded,
            kept - sums.suspected_paid_orders + sums.suspected_refunded_orders,
        ),
    )
    return [
        Rung(name, amount, orders, float(amount / sums.placed) if sums.placed else None)
        for name, (amount, orders) in zip(RUNGS, steps, strict=True)
    ]


async def ladder(pool: StorePool, question: Question, orders_per_hour: int) -> list[Rung]:
    """The ladder of the period and filters, read at one moment.

    Suspicion is judged by whole hours and by all of the campaign's orders, whatever the period and the filters.
    """
    if any(Kind.ORDERS not in DIMENSIONS[dimension] for dimension in question.dimensions):
        return rungs(None)
    row = (await pool.query(*ladder_sql(question, orders_per_hour)))[0]
    return rungs(Sums(**row))


def ladder_sql(question: Question, orders_per_hour: int) -> tuple[str, dict[str, Any]]:
    """One row with the columns of `Sums`, from the events themselves."""
    parameters: dict[str, Any] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": max(question.start_ms, question.end_ms) // 1000,
    }
    suspected = suspected_orders(question.campaign_id, orders_per_hour, parameters)
    lines = bool(question.dimensions & {"item_id", "item_category"})
    amount = f"toDecimal128({'amount' if lines else 'e.value'}, 2)"
    conditions = [
        "e.campaign_id = {campaign_id:String}",
        "e.event_time >= toDateTime({start:UInt32}, 'UTC')",
        "e.event_time < toDateTime({end:UInt32}, 'UTC')",
        "e.event_name IN ('order_created', 'order_paid', 'order_refunded')",
        *dimension_conditions(question, parameters),
        *phase_condition(question, parameters, "e.event_time"),
    ]
    columns = []
    for name, event, also in (
        ("placed", "order_created", ""),
        ("paid", "order_paid", ""),
        ("refunded", "order_refunded", ""),
        ("suspected_paid", "order_paid", " AND suspected"),
        ("suspected_refunded", "order_refunded", " AND suspected"),
    ):
        of = f"e.event_name = '{event}'{also}"
        columns.append(f"sumIf({amount}, {of}) AS {name}")
        if event == "order_refunded":
            counted = "uniqExactIf(e.order_id, "
        else:
            # With its lines side by side an event stands once for each line that matches.
            counted = "uniqExactIf(e.event_id, " if lines else "countIf("
        columns.append(f"{counted}{of}) AS {name}_orders")
    listed = ",\n    ".join(columns)
    sql = f"""
WITH e.order_id IN ({suspected}
    ) AS suspected
SELECT
    {listed}
FROM order_events AS e{EXPLODED_LINES if lines else ""}
WHERE {" AND ".join(conditions)}"""
    return sql, parameters
