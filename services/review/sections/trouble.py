"""Stock-outs, and incidents with how fast they were answered."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from services.review.document import Block, Figure, Line, Paragraph, Section, Table
from services.review.figures import computed, duration, found
from services.review.findings import Findings
from services.review.incidents import Incident, median_of
from services.review.query import Answer
from services.review.read import MOST_STOCK_OUTS
from services.review.words.voice import Voice

_GRAVEST = ("critical", "warning", "info")
_MOST_LISTED = 40


def stock(f: Findings, v: Voice) -> Section:
    """Items that were sold out, for how long, and what that lost."""
    title = v.word("stock")
    if f.readings.alerts.missing is not None:
        return Section("stock", title, [_missing(f, v)])
    if not f.stock_outs:
        return Section("stock", title, [Paragraph(v.say("no_stock_outs"))])
    lost = computed(total_lost(f), "money", "stock")
    blocks: list[Block] = [Paragraph(v.say("stock_outs", count=str(len(f.stock_outs)), lost=lost))]
    rows: list[list[Line]] = []
    for out in f.stock_outs:
        answer = f.readings.sold_before[out.alert["id"]]
        sold = found(answer, "rows", 0, "gmv", unit="money") if answer.rows else computed(0, "money", "stock")
        lasted = duration(out.lasted_ms, v.language, "stock")
        rows.append(
            [
                (out.item,),
                (v.moment(f.readings.extent.local(out.starts_ms)),),
                (lasted,) if out.over else (lasted, f", {v.word('open')}"),
                (sold,),
                (computed(out.lost, "money", "stock"),),
            ]
        )
    columns = [v.word(name) for name in ("item", "since", "lasted", "sold_before", "loss")]
    blocks.append(Table(title, columns, rows, frozenset({0, 1})))
    of = sum(alert["rule"] == "stock_out" for alert in f.readings.alerts.alerts)
    if of > MOST_STOCK_OUTS:
        blocks.append(Paragraph(v.say("stock_more", shown=str(MOST_STOCK_OUTS), of=str(of)), remark=True))
    return Section("stock", title, blocks)


def total_lost(f: Findings) -> Decimal:
    """What all stock-outs lost together."""
    return sum((out.lost for out in f.stock_outs if out.lost is not None), Decimal(0))


def incidents(f: Findings, v: Voice) -> Section:
    """The incidents, and the medians of how long it took to tell of them, to take them on, and until they were over."""
    title = v.word("incidents")
    if f.readings.alerts.missing is not None:
        return Section("incidents", title, [_missing(f, v)])
    if not f.incidents:
        return Section("incidents", title, [Paragraph(v.say("no_incidents"))])
    said = v.say(
        "incident_count",
        count=str(len(f.incidents)),
        consequences=str(sum(incident.consequences for incident in f.incidents)),
        paged=str(sum(incident.paged for incident in f.incidents)),
        taken=str(sum(incident.to_acknowledge is not None for incident in f.incidents)),
    )
    gravest = sorted(f.incidents, key=lambda i: (_GRAVEST.index(i.alert["severity"]), i.starts_ms, i.alert["id"]))
    listed = sorted(gravest[:_MOST_LISTED], key=lambda incident: incident.starts_ms)
    blocks: list[Block] = [Paragraph(said), _medians(f.incidents, v), _list(f, listed, v)]
    if len(f.incidents) > _MOST_LISTED:
        more = v.say("incidents_more", shown=str(_MOST_LISTED), of=str(len(f.incidents)))
        blocks.append(Paragraph(more, remark=True))
    return Section("incidents", title, blocks)


def _missing(f: Findings, v: Voice) -> Paragraph:
    return Paragraph(v.say("no_alerts", why=f.readings.alerts.missing or ""), remark=True)


def _medians(found_: Sequence[Incident], v: Voice) -> Table:
    rows: list[list[Line]] = []
    for severity in ("all", *_GRAVEST):
        chosen = [i for i in found_ if severity in ("all", i.alert["severity"])]
        if not chosen:
            continue
        cells: list[Line] = [(v.word(severity),), (str(len(chosen)),)]
        for times in (
            [i.to_fire for i in chosen],
            [i.to_page for i in chosen],
            [i.to_acknowledge for i in chosen],
            [i.to_resolve for i in chosen],
        ):
            middle = median_of(times)
            cells.append(v.say("known_of", median=duration(middle.ms, v.language, "response"), of=str(middle.of)))
        rows.append(cells)
    columns = ["severity", "count", "to_fire", "to_page", "to_acknowledge", "to_resolve"]
    return Table(v.word("median_of"), [v.word(name) for name in columns], rows)


def _list(f: Findings, listed: Sequence[Incident], v: Voice) -> Table:
    rows: list[list[Line]] = []
    for incident in listed:
        alert = incident.alert
        detail = f.readings.alerts.details.get(alert["id"])
        chinese = (alert.get("annotations") or {}).get("summary_zh")
        summary = str(chinese if v.language == "zh" and chinese else alert["summary"])
        resolved: Line = (duration(incident.to_resolve, v.language, "response"),)
        rows.append(
            [
                (v.moment(f.readings.extent.local(incident.starts_ms), seconds=True),),
                (_rule(alert["rule"], detail),),
                (v.word(alert["severity"]),),
                (summary,),
                (duration(incident.to_fire, v.language, "response"),),
                (duration(incident.to_page, v.language, "response"),),
                (duration(incident.to_acknowledge, v.language, "response"),),
                resolved if incident.ends_ms is not None else (v.word("open"),),
            ]
        )
    columns = ["onset", "rule", "severity", "what", "to_fire", "to_page", "to_acknowledge", "to_resolve"]
    return Table(v.word("incidents"), [v.word(name) for name in columns], rows, frozenset({0, 1, 2, 3}))


def _rule(rule: str, detail: Answer | None) -> str | Figure:
    return rule if detail is None else Figure(rule, detail.query, "/rule", "text")
