"""Targets, and what drove the result."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from services.review.charts.bars import Bar, bars
from services.review.document import Block, Chart, Figure, Line, Paragraph, Section, Table
from services.review.drivers import Drivers
from services.review.figures import DASH, computed, found, metric, unit_of
from services.review.findings import Findings
from services.review.period import Stage
from services.review.sections.head import change
from services.review.words.voice import Voice

_COMPARED = (
    "gmv", "paid_gmv", "net_sales", "uv", "conversion_rate", "orders_paid", "aov", "new_buyers", "refund_amount_rate",
    "coupon_redemption_rate", "cost", "roas", "roi", "cac",
)  # fmt: skip


def targets(f: Findings, v: Voice) -> Section:
    """Attained against planned, of the whole and by phase."""
    overview, blocks = f.readings.overview, list[Block]()
    declared = overview.at("targets") or {}
    rows: list[list[Line]] = []
    shares = []
    for phase, goals in (("", declared.get("total") or {}), *_in_time(f, declared.get("phases") or {})):
        place = ("targets", "phases", phase) if phase else ("targets", "total")
        for name in goals:
            unit = unit_of(name)
            attained = overview.at(*place, name, "attained")
            shares.append(attained)
            rows.append(
                [
                    (phase or v.word("total"),),
                    (v.metric(name),),
                    (found(overview, *place, name, "value", unit=unit),),
                    (found(overview, *place, name, "target", unit=unit),),
                    (_marked(found(overview, *place, name, "attained", unit="percent"), attained),),
                ]
            )
    if rows:
        if f.readings.extent.stage is Stage.ENDED:
            reached = sum(share is not None and share >= 1 for share in shares)
            blocks.append(Paragraph(v.say("targets_reached", reached=str(reached), of=str(len(shares)))))
        else:
            blocks.append(Paragraph(v.say("targets_so_far"), remark=True))
        columns = [v.word(name) for name in ("phase", "metric", "value", "target", "attained")]
        blocks.append(Table(v.word("targets"), columns, rows, frozenset({0, 1})))
    else:
        blocks.append(Paragraph(v.say("no_targets")))
    blocks += _phases(f, v)
    return Section("targets", v.word("targets"), blocks)


def _in_time(f: Findings, goals: dict[str, dict[str, object]]) -> list[tuple[str, dict[str, object]]]:
    order = [
        str(phase["name"]) for phase in sorted(f.readings.campaign.at("phases") or [], key=lambda p: str(p["start"]))
    ]
    return [(name, goals[name]) for name in order if name in goals]


def _marked(figure: Figure, share: float | None) -> Figure:
    tone = "" if share is None else "good" if share >= 1 else "bad"
    return Figure(figure.text, figure.query, figure.at, figure.unit, tone=tone)  # type: ignore[arg-type]


def _phases(f: Findings, v: Voice) -> list[Block]:
    answer = f.readings.phases
    if answer is None:
        return []
    names = ("gmv", "paid_gmv", "uv", "conversion_rate", "orders_paid", "aov")
    places = {row["phase"]: number for number, row in enumerate(answer.rows)}
    phases = sorted(f.readings.campaign.at("phases") or [], key=lambda phase: str(phase["start"]))
    rows: list[list[Line]] = [
        [(phase["name"],), *((metric(answer, "rows", places[phase["name"]], name),) for name in names)]
        for phase in phases
        if phase["name"] in places
    ]
    return [Table(v.word("phase"), [v.word("phase"), *(v.metric(name) for name in names)], rows)] if rows else []


def drivers(f: Findings, v: Voice) -> Section:
    """What the difference to the baseline or the target is made of."""
    blocks: list[Block] = []
    if f.drivers is None:
        ended = f.readings.extent.stage is Stage.ENDED
        more = "".join(str(part) for part in v.say("and_targets" if ended else "and_not_over"))
        blocks.append(Paragraph(v.say("no_drivers", and_targets=more)))
    else:
        blocks += _decomposed(f, f.drivers, v)
    if f.readings.overview.at("baseline") is not None:
        blocks.append(_compared(f, v))
    return Section("drivers", v.word("drivers"), blocks)


def factor_name(chain: tuple[str, ...], link: int, v: Voice) -> str:
    """What a link of the chain stands for: the first for itself, the others for their ratio to the one before."""
    if link == 0:
        return v.metric(chain[0])
    known = {("uv", "buyers"): v.metric("conversion_rate"), ("buyers", "orders_paid"): v.word("orders_per_buyer")}
    known |= {("orders_paid", "paid_gmv"): v.metric("aov")}
    pair = (chain[link - 1], chain[link])
    return known.get(pair) or f"{v.metric(pair[1])} / {v.metric(pair[0])}"


def _decomposed(f: Findings, d: Drivers, v: Voice) -> list[Block]:
    name, overview = d.chain[-1], f.readings.overview
    then = (
        metric(overview, "baseline", "metrics", name)
        if d.against == "baseline"
        else found(overview, "targets", "total", name, "target", unit=unit_of(name))
    )
    difference = computed(d.whole.difference, "money", "drivers", sign=True, good=True)
    said = v.say(
        f"drivers_{d.against}", metric=v.metric(name), now=metric(overview, "metrics", name), then=then,
        difference=difference,
    )  # fmt: skip
    if d.whole.parts is None:
        return [Paragraph(said), Paragraph(v.say("no_ratio"), remark=True)]
    rows: list[list[Line]] = []
    for link, part in enumerate(d.whole.parts):
        share = None if d.whole.difference == 0 else part / d.whole.difference
        before, after = _factor(f, d, link)
        rows.append(
            [
                (factor_name(d.chain, link, v),),
                (before,),
                (after,),
                (computed(part, "money", "drivers", sign=True, good=True),),
                (computed(share, "percent", "share"),),
            ]
        )
    rows.append([(v.word("sum"),), (), (), (difference,), ()])
    column = v.word("then" if d.against == "baseline" else "target")
    columns = [v.word("factor"), column, v.word("now"), v.word("contribution"), v.word("share")]
    shown = [
        Bar(factor_name(d.chain, link, v), float(part), computed(part, "money", "drivers", sign=True).text)
        for link, part in enumerate(d.whole.parts)
    ]
    chart = bars("drivers-chart", v.word("chart_drivers"), shown)
    blocks: list[Block] = [
        Paragraph(said),
        Chart(chart, v.word("chart_drivers")),
        Table(v.word("drivers"), columns, rows),
    ]
    return blocks + _channels(d, v)


def _factor(f: Findings, d: Drivers, link: int) -> tuple[Figure, Figure]:
    """The factor then and now: as the API says it where it does."""
    overview, pair = f.readings.overview, d.chain[max(0, link - 1) : link + 1]
    direct = {"uv buyers": "conversion_rate", "orders_paid paid_gmv": "aov"}.get(" ".join(pair))
    if link == 0:
        direct = d.chain[0]
    if direct is not None and d.against == "baseline":
        return metric(overview, "baseline", "metrics", direct), metric(overview, "metrics", direct)
    if link == 0:
        unit = unit_of(d.chain[0])
        target = found(overview, "targets", "total", d.chain[0], "target", unit=unit)
        return target, metric(overview, "metrics", d.chain[0])
    unit = "amount" if unit_of(d.chain[link]) == "money" else "times"
    values = (side[link] / side[link - 1] if side[link - 1] else None for side in (d.whole.before, d.whole.after))
    before, after = (computed(value, unit, "drivers") for value in values)
    return before, after


def _channels(d: Drivers, v: Voice) -> list[Block]:
    if not d.channels:
        return []
    note = "channel_drivers"
    rows: list[list[Line]] = []
    by_size = sorted(d.channels.items(), key=lambda item: (-abs(item[1].difference), item[0]))
    for channel, parts in by_size:
        cells: list[Line] = [(v.value(channel),)]
        cells += [(computed(amount, "money", note),) for amount in (parts.before[-1], parts.after[-1])]
        cells.append((computed(parts.difference, "money", note, sign=True, good=True),))
        each: Sequence[Decimal | None] = parts.parts or [None] * len(d.chain)
        cells += [(computed(part, "money", note, sign=True, good=True) if part is not None else DASH,) for part in each]
        rows.append(cells)
    columns = [v.word("channel"), v.word("then"), v.word("now"), v.word("contribution")]
    columns += [factor_name(d.chain, link, v) for link in range(len(d.chain))]
    shown = [
        Bar(v.value(channel), float(parts.difference), computed(parts.difference, "money", note, sign=True).text)
        for channel, parts in by_size[:12]
    ]
    chart = bars("channel-drivers-chart", v.word("chart_channel_drivers"), shown)
    table = Table(v.word("chart_channel_drivers"), columns, rows)
    return [Paragraph(v.say("drivers_channels")), Chart(chart, v.word("chart_channel_drivers")), table]


def _compared(f: Findings, v: Voice) -> Table:
    overview = f.readings.overview
    rows: list[list[Line]] = [
        [
            (v.metric(name),),
            (metric(overview, "metrics", name),),
            (metric(overview, "baseline", "metrics", name),),
            (change(overview, name),),
        ]
        for name in _COMPARED
    ]
    columns = [v.word(name) for name in ("metric", "now", "then", "change")]
    return Table(v.word("compared"), columns, rows)
