"""From what was placed to the money that remains."""

from __future__ import annotations

from decimal import Decimal

from services.review.document import Block, Line, Paragraph, Section, Table
from services.review.figures import computed, found, metric
from services.review.findings import Findings
from services.review.words.voice import Voice


def refunds(f: Findings, v: Voice) -> Section:
    """The ladder of the period, what was refunded since its end, and of which items."""
    r, overview = f.readings, f.readings.overview
    columns = [v.word(name) for name in ("rung", "amount", "orders", "of_placed")]
    rows: list[list[Line]] = [
        [
            (v.word(row["rung"]),),
            (found(r.ladder, "rows", number, "amount", unit="money"),),
            (found(r.ladder, "rows", number, "orders", unit="count"),),
            (found(r.ladder, "rows", number, "share", unit="percent"),),
        ]
        for number, row in enumerate(r.ladder.rows)
    ]
    said = v.say(
        "refunds_period",
        amount=metric(overview, "metrics", "refund_amount"),
        rate=metric(overview, "metrics", "refund_amount_rate"),
    )
    blocks: list[Block] = [Table(v.word("rung"), columns, rows), Paragraph(said)]
    if r.since is not None and r.extent.since is not None:
        paid = Decimal(overview.at("metrics", "paid_gmv") or 0)
        since = v.say(
            "refunds_since",
            until=v.moment(r.extent.local(r.extent.since.end_ms)),
            amount=metric(r.since, "metrics", "refund_amount"),
            count=metric(r.since, "metrics", "orders_refunded"),
            share=computed(f.refunded / paid if paid else None, "percent", "refunds"),
            net=computed(paid - f.refunded, "money", "refunds"),
        )
        blocks.append(Paragraph(since))
    else:
        blocks.append(Paragraph(v.say("refunds_open"), remark=True))
    names = ("refund_amount", "orders_refunded", "paid_gmv", "refund_amount_rate")
    rows = [
        [(v.value(row["item_id"]),), *((metric(r.refunds, "rows", number, name),) for name in names)]
        for number, row in enumerate(r.refunds.rows)
        if row["orders_refunded"]
    ]
    if rows:
        blocks.append(Paragraph(v.say("refunds_items")))
        titles = [v.word("refunded_item"), *(v.metric(name) for name in names)]
        blocks.append(Table(v.word("refunded_item"), titles, rows))
    return Section("refunds", v.word("refunds"), blocks)
