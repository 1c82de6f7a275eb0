"""What the report is about, how complete it is, and the figures that matter most."""

from __future__ import annotations

from decimal import Decimal

from services.review.document import Figure, Line, Section, Tiles
from services.review.figures import computed, found, metric
from services.review.findings import Findings
from services.review.period import Stage
from services.review.query import Answer
from services.review.words.voice import Voice


def facts(f: Findings, v: Voice) -> list[tuple[str, Line]]:
    """Name and content of what stands beneath the title."""
    r, extent = f.readings, f.readings.extent
    start, end = v.moment(extent.local(extent.span.start_ms)), v.moment(extent.local(extent.span.end_ms))
    said = [
        (v.word("period"), v.say("span", start=start, end=end, zone=extent.zone.key)),
        (v.word("state"), _state(f, v)),
        (v.word("completeness"), _completeness(f, v)),
        (v.word("compared"), _baseline(r.overview, v)),
        (v.word("currency"), (str(r.campaign.at("currency")),)),
        (v.word("made"), (v.moment(extent.local(extent.as_of_ms), seconds=True),)),
    ]
    note = r.campaign.at("note")
    return [*said, (v.word("note"), (str(note),))] if note else said


def _state(f: Findings, v: Voice) -> Line:
    extent = f.readings.extent
    if extent.stage is Stage.COMING:
        return v.say("coming")
    if extent.stage is Stage.ENDED:
        return v.say("ended", ago=v.duration(extent.as_of_ms - extent.span.end_ms))
    if extent.end_ms is None:
        return v.say("so_far_open")
    passed = extent.span.end_ms - extent.span.start_ms
    share = Decimal(passed) / (extent.end_ms - extent.span.start_ms)
    return v.say("so_far", elapsed=computed(share, "percent", "elapsed"))


def _completeness(f: Findings, v: Voice) -> Line:
    overview, extent = f.readings.overview, f.readings.extent
    if extent.watermark_ms is None:
        return v.say("completeness_unknown")
    until = v.moment(extent.local(extent.watermark_ms), seconds=True)
    return v.say("complete" if overview.at("complete") else "incomplete", watermark=until)


def _baseline(overview: Answer, v: Voice) -> Line:
    baseline = overview.at("baseline")
    if baseline is None:
        return v.say("no_baseline")
    start, end = (str(baseline[name])[:16].replace("T", " ") for name in ("from", "to"))
    return v.say("baseline", campaign=str(baseline["campaign_id"]), start=start, end=end)


def summary(f: Findings, v: Voice) -> Section:
    """The figures that matter most."""
    r, overview = f.readings, f.readings.overview
    tiles: list[tuple[str, Line, Line]] = [
        _tile(overview, v, name) for name in ("gmv", "paid_gmv", "uv", "conversion_rate", "aov")
    ]
    new = v.say("of_new", new=metric(overview, "metrics", "new_buyers"))
    tiles.append((v.metric("buyers"), (metric(overview, "metrics", "buyers"),), new))
    cost = v.say("of_cost", cost=metric(overview, "metrics", "cost"))
    tiles.append((v.metric("roi"), (metric(overview, "metrics", "roi"),), cost))
    paid = Decimal(overview.at("metrics", "paid_gmv") or 0)
    net: Figure = metric(overview, "metrics", "net_sales")
    refunded: Line = v.say(
        "of_paid", share=computed((paid - f.refunded) / paid if paid else None, "percent", "refunds")
    )
    if r.since is not None:
        net = computed(paid - f.refunded, "money", "refunds")
    tiles.append((v.metric("net_sales"), (net,), refunded))
    return Section("summary", v.word("summary"), [Tiles(tiles)])


def _tile(overview: Answer, v: Voice, name: str) -> tuple[str, Line, Line]:
    """Against its target where it has one, else against the baseline, else alone."""
    value = (metric(overview, "metrics", name),)
    if overview.at("targets", "total", name, "attained") is not None:
        attained = found(overview, "targets", "total", name, "attained", unit="percent")
        target = found(overview, "targets", "total", name, "target", unit=value[0].unit)
        return v.metric(name), value, v.say("of_target", attained=attained, target=target)
    if overview.at("baseline", "ratio", name) is not None:
        then = metric(overview, "baseline", "metrics", name)
        return v.metric(name), value, v.say("against_baseline", change=change(overview, name), then=then)
    return v.metric(name), value, ()


def change(overview: Answer, name: str) -> Figure:
    """How much more than the baseline, as a share of it."""
    ratio = overview.at("baseline", "ratio", name)
    return computed(None if ratio is None else Decimal(str(ratio)) - 1, "percent", "change", sign=True)
