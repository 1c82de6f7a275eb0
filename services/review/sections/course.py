"""The course of the campaign and its best minutes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from services.common.clock import MINUTE_MS
from services.review.charts.curve import Course, Mark, Phase, curve
from services.review.document import Block, Chart, Figure, Line, Paragraph, Points, Section, Table
from services.review.figures import computed, found
from services.review.findings import Findings
from services.review.minutes import Minute
from services.review.period import Span, parsed
from services.review.query import Answer, Query
from services.review.words.voice import Voice

_MOST_MARKS = 60
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def peaks(f: Findings, v: Voice) -> Section:
    """The curve with phases, events and incidents, and the best minutes."""
    best = f.readings.peaks.by_gmv
    if not f.readings.curve.rows:
        return Section("peaks", v.word("peaks"), [Paragraph(v.say("no_peaks"))])
    blocks: list[Block] = [Chart(_curve(f, v), v.word("chart_curve"))]
    events = _events(f)
    named = [
        v.say("event_list", sign=sign, event=str(event["name"]), time=_clock(f, parsed(event["start"]) or 0, v))
        for sign, event in events
    ]
    if named:
        blocks.append(Points(named))
    lines = [v.say("buckets", minutes=str(f.readings.curve_minutes))]
    if best:
        gmv = _of_minute(f, best[0], "gmv", str(best[0].gmv), "money")
        lines.append(v.say("peak_gmv", minute=_clock(f, best[0].start_ms, v), gmv=gmv))
        lines.append(busiest(f, v, "peak_orders"))
    elif f.readings.peaks.minutes == 0 and f.readings.extent.span.minutes:
        lines.append(v.say("peaks_too_long"))
    else:
        lines.append(v.say("no_peaks"))
    blocks.append(Paragraph(v.joined(lines)))
    if best:
        columns = [v.word("rank"), v.word("minute"), v.metric("gmv"), v.metric("orders_created"), v.word("phase")]
        blocks.append(Table(v.word("peaks"), columns, _rows(f, best, v), frozenset({0, 1, 4})))
    return Section("peaks", v.word("peaks"), blocks)


def busiest(f: Findings, v: Voice, sentence: str) -> Line:
    """The minute with the most orders, told by a sentence; empty where there was none."""
    busy = f.readings.peaks.by_orders
    if busy is None:
        return ()
    parts: dict[str, str | Figure] = {
        "orders": _of_minute(f, busy, "orders_created", busy.orders, "count"),
        "times": computed(peak_ratio(f), "times", "peak"),
    }
    if sentence == "peak_orders":
        parts["minute"] = _clock(f, busy.start_ms, v)
    return v.say(sentence, **parts)


def peak_ratio(f: Findings) -> Decimal | None:
    """How many times the mean minute the busiest one had."""
    busy, placed = f.readings.peaks.by_orders, f.readings.overview.at("metrics", "orders_created")
    minutes = f.readings.peaks.minutes
    return Decimal(busy.orders * minutes) / placed if busy is not None and placed else None


def _rows(f: Findings, best: Sequence[Minute], v: Voice) -> list[list[Line]]:
    return [
        [
            (str(number),),
            (_clock(f, minute.start_ms, v),),
            (_of_minute(f, minute, "gmv", str(minute.gmv), "money"),),
            (_of_minute(f, minute, "orders_created", minute.orders, "count"),),
            (_phase_at(f, minute.start_ms),),
        ]
        for number, minute in enumerate(best, start=1)
    ]


def _of_minute(f: Findings, minute: Minute, name: str, value: Any, unit: str) -> Figure:
    """Linked to that minute alone: the series that it was found in is long."""
    span = Span(minute.start_ms, minute.start_ms + MINUTE_MS)
    params = (*span.params, ("metrics", "gmv,orders_created"), ("interval", "1m"))
    query = Query(f"/api/v1/campaigns/{f.readings.campaign_id}/timeseries", params)
    return found(Answer(query, {"rows": [{name: value}]}), "rows", 0, name, unit=unit)


def _clock(f: Findings, ms: int, v: Voice) -> str:
    return v.moment(f.readings.extent.local(ms))


def _phase_at(f: Findings, ms: int) -> str:
    spans = [
        (str(p["name"]), parsed(p["start"]) or 0, parsed(p["end"]) or 0) for p in f.readings.campaign.at("phases") or []
    ]
    return next((name for name, start, end in spans if start <= ms < end), "")


def _events(f: Findings) -> list[tuple[str, dict[str, Any]]]:
    span = f.readings.extent.span
    planned = sorted(f.readings.campaign.at("calendar") or [], key=lambda event: parsed(event["start"]) or 0)
    inside = [event for event in planned if span.start_ms <= (parsed(event["start"]) or 0) < span.end_ms]
    return list(zip(_SIGNS, inside, strict=False))


def _curve(f: Findings, v: Voice) -> str:
    r, span = f.readings, f.readings.extent.span
    points = [(parsed(row["time"]) or 0, _amount(row["gmv"])) for row in r.curve.rows]
    baseline = []
    if r.overview.at("baseline") is not None:
        baseline = [(parsed(row["time"]) or 0, _amount(row.get("gmv_baseline"))) for row in r.curve.rows]
    phases = [
        Phase(str(phase["name"]), parsed(phase["start"]) or 0, parsed(phase["end"]) or 0)
        for phase in sorted(r.campaign.at("phases") or [], key=lambda phase: parsed(phase["start"]) or 0)
    ]
    incidents = [Mark(incident.starts_ms, "") for incident in f.incidents[:_MOST_MARKS]]
    best = r.peaks.by_gmv[0] if r.peaks.by_gmv else None
    legend = [("line", v.word("chart_gmv"))]
    legend += [("line base", v.word("chart_baseline"))] if baseline else []
    legend += [("mark", v.word("chart_peak"))] if best else []
    events = [Mark(parsed(event["start"]) or 0, sign) for sign, event in _events(f)]
    legend += [("event", v.word("chart_event"))] if events else []
    legend += [("incident", v.word("chart_alert"))] if incidents else []
    amounts = [amount for _, amount in (*points, *baseline) if amount is not None]
    course = Course(
        span.start_ms,
        span.end_ms,
        points,
        baseline,
        phases,
        events,
        incidents,
        Mark(best.start_ms, "") if best else None,
        _times(f),
        _levels(max(amounts, default=0.0)),
        legend,
    )
    words = [f"{phase.name}: {_clock(f, phase.start_ms, v)}" for phase in phases]
    if best:
        words.append(f"{v.word('chart_peak')}: {_clock(f, best.start_ms, v)}")
    words.append(f"{v.word('incidents')}: {len(incidents)}")
    return curve("curve-chart", v.word("chart_curve"), "; ".join(words), course)


def _amount(value: str | None) -> float | None:
    return None if value is None else float(value)


def _times(f: Findings) -> list[tuple[int, str]]:
    """Five moments at equal distances, as times of day, or as days where the campaign is long."""
    span = f.readings.extent.span
    long = span.end_ms - span.start_ms > 2 * 1440 * MINUTE_MS
    form = "%m-%d" if long else "%H:%M"
    step = (span.end_ms - span.start_ms) / 6
    moments = [round((span.start_ms + step * number) / MINUTE_MS) * MINUTE_MS for number in range(1, 6)]
    return [(at, f.readings.extent.local(at).strftime(form)) for at in moments]


def _levels(highest: float) -> list[tuple[float, str]]:
    """Round amounts up to the highest: 0, half, whole of the largest round one below it."""
    if highest <= 0:
        return [(0.0, "0")]
    size = 10.0 ** (len(str(int(highest))) - 1)
    top = next(factor * size for factor in (10, 8, 6, 5, 4, 3, 2, 1) if factor * size <= highest or factor == 1)
    return [(level, f"{level:,.0f}") for level in (0.0, top / 2, top)]
