"""Channels, the way to payment, customers and items."""

from __future__ import annotations

from decimal import Decimal

from services.review.charts.bars import Bar, bars
from services.review.document import Block, Chart, Figure, Line, Paragraph, Section, Table
from services.review.figures import DASH, computed, found, metric, written
from services.review.findings import Findings
from services.review.words.voice import Voice

_CHANNEL_COLUMNS = ("paid_gmv", "ad_cost", "cost", "roas", "roi", "cac", "uv", "conversion_rate", "aov")
_MOST_COHORTS = 31


def channels(f: Findings, v: Voice) -> Section:
    """What each channel brought, what it cost, and its return."""
    answer, campaign = f.readings.channels, f.readings.campaign
    budgets = campaign.at("budgets") or {}
    names = [row["channel"] for row in answer.rows]
    rows: list[list[Line]] = []
    for number, channel in enumerate(names):
        cells: list[Line] = [(v.value(channel),)]
        cells += [(metric(answer, "rows", number, name),) for name in _CHANNEL_COLUMNS]
        spent = answer.at("rows", number, "ad_cost")
        cells[3:3] = [(found(campaign, "budgets", channel, unit="money"),), (used(budgets.get(channel), spent),)]
        rows.append(cells)
    for channel in sorted(set(budgets) - set(names)):
        budget = found(campaign, "budgets", channel, unit="money")
        rows.append([(channel,), (DASH,), (DASH,), (budget,), *([(DASH,)] * (len(_CHANNEL_COLUMNS) - 1))])
    if not rows:
        return Section("channels", v.word("channels"), [Paragraph(v.say("no_channels"))])
    columns = [v.word("channel"), *(v.metric(name) for name in _CHANNEL_COLUMNS)]
    columns[3:3] = [v.word("budget"), v.word("budget_used")]
    blocks: list[Block] = [Table(v.word("channels"), columns, rows)]
    known = [(row["channel"], row["roas"]) for row in answer.rows if row["roas"] is not None]
    margin = Decimal(str(campaign.at("gross_margin") or 0))
    if known:
        shown = [Bar(v.value(name), roas, written(roas, "times")) for name, roas in sorted(known, key=lambda k: -k[1])]
        mark = float(1 / margin) if margin else None
        mark_text = v.text("break_even", roas=written(mark, "times")) if mark else ""
        chart = bars("roas-chart", v.word("chart_roas"), shown, mark=mark, mark_text=mark_text)
        blocks.insert(0, Chart(chart, v.word("chart_roas")))
    blocks.append(Paragraph(v.say("margin", margin=found(campaign, "gross_margin", unit="percent"))))
    return Section("channels", v.word("channels"), blocks)


def used(budget: str | None, spent: str | None) -> Figure:
    """The share of a budget that was spent."""
    share = (
        Decimal(str(spent)) / Decimal(str(budget)) if budget and spent is not None and Decimal(str(budget)) else None
    )
    return computed(share, "percent", "budget")


def funnel(f: Findings, v: Voice) -> Section:
    """Where users were lost, and what those were worth at most."""
    answer, then = f.readings.funnel, f.readings.baseline_funnel
    steps = answer.rows
    if not steps or not steps[0]["users"]:
        return Section("funnel", v.word("funnel"), [Paragraph(v.say("no_funnel"))])
    whole = v.say(
        "funnel_whole",
        visitors=found(answer, "rows", 0, "users", unit="count"),
        paid=found(answer, "rows", len(steps) - 1, "users", unit="count"),
    )
    leaks = {leak.row: leak for leak in f.leaks}
    rows: list[list[Line]] = []
    for number, step in enumerate(steps):
        leak = leaks.get(number)
        cells: list[Line] = [
            (v.word(step["step"]),),
            (found(answer, "rows", number, "users", unit="count"),),
            (found(answer, "rows", number, "step_conversion", unit="percent"),),
        ]
        if then is not None:
            cells.append((found(then, "rows", number, "step_conversion", unit="percent"),))
        cells.append((found(answer, "rows", number, "lost", unit="count"),))
        cells.append((computed(leak.worth, "money", "leak") if leak else DASH,))
        if then is not None:
            cells.append((computed(leak.against, "money", "leak", sign=True, good=False) if leak else DASH,))
        cells.append((_seconds(answer.at("rows", number, "median_seconds"), v),))
        rows.append(cells)
    columns = ["step", "users", "step_rate", "step_rate_then", "lost", "loss_worth", "loss_against", "median_time"]
    if then is None:
        columns = [name for name in columns if name not in ("step_rate_then", "loss_against")]
    shown = [
        Bar(v.word(step["step"]), float(step["users"] or 0), _of_visit(step, steps[0]), quiet=number == 0)
        for number, step in enumerate(steps)
    ]
    chart = bars("funnel-chart", v.word("chart_funnel"), shown)
    table = Table(v.word("funnel"), [v.word(name) for name in columns], rows)
    return Section("funnel", v.word("funnel"), [Paragraph(whole), Chart(chart, v.word("chart_funnel")), table])


def _of_visit(step: dict[str, object], first: dict[str, object]) -> str:
    return (
        f"{written(step['users'], 'count')} · {written(step['overall_conversion'], 'percent')}"
        if step is not first
        else written(step["users"], "count")
    )


def _seconds(seconds: float | None, v: Voice) -> str:
    return DASH if seconds is None else v.duration(seconds * 1000)


def customers(f: Findings, v: Voice) -> Section:
    """New against returning, and who bought again."""
    r, blocks = f.readings, list[Block]()
    if not r.cohorts.rows:
        return Section("customers", v.word("customers"), [Paragraph(v.say("no_buyers"))])
    new = metric(r.overview, "metrics", "new_buyers")
    blocks.append(Paragraph(v.say("new_share", new=new, buyers=metric(r.overview, "metrics", "buyers"))))
    names = ("buyers", "orders_paid", "paid_gmv", "aov", "refund_amount_rate")
    rows: list[list[Line]] = [
        [(_customer(row["customer_type"], v),), *((metric(r.customers, "rows", number, name),) for name in names)]
        for number, row in enumerate(r.customers.rows)
    ]
    columns = [v.word("customers_type"), *(v.metric(name) for name in names)]
    blocks.append(Table(v.word("customers_type"), columns, rows))
    blocks.append(Paragraph(v.say("repurchase")))
    first = max(0, len(r.cohorts.rows) - _MOST_COHORTS)
    day_columns = (
        "buyers",
        "new_buyers",
        "repurchasers",
        "repurchase_rate",
        "orders_paid",
        "net_sales",
        "value_per_buyer",
    )
    rows = [
        [(str(row["cohort"]),), *((_cohort(f, number, name),) for name in day_columns)]
        for number, row in enumerate(r.cohorts.rows)
        if number >= first
    ]
    blocks.append(Table(v.word("cohort"), [v.word("cohort"), *(_title(name, v) for name in day_columns)], rows))
    if first:
        of = str(len(r.cohorts.rows))
        blocks.append(Paragraph(v.say("first_of", shown=str(_MOST_COHORTS), of=of)))
    blocks.append(Paragraph(v.say("by_first_channel")))
    by_columns = (
        "buyers",
        "new_buyers",
        "repurchase_rate",
        "net_sales",
        "value_per_buyer",
        "acquisition_cost",
        "cac",
        "value_to_cost",
    )
    rows = [
        [
            (v.value(str(row["cohort"])),),
            *((found(r.by_channel, "rows", number, name, unit=_UNITS[name]),) for name in by_columns),
        ]
        for number, row in enumerate(r.by_channel.rows)
    ]
    titles = [v.word("first_channel"), *(_title(name, v) for name in by_columns)]
    blocks.append(Table(v.word("first_channel"), titles, rows))
    return Section("customers", v.word("customers"), blocks)


_UNITS = {
    "buyers": "count",
    "new_buyers": "count",
    "repurchasers": "count",
    "repurchase_rate": "percent",
    "orders_paid": "count",
    "net_sales": "money",
    "value_per_buyer": "amount",
    "acquisition_cost": "money",
    "cac": "amount",
    "value_to_cost": "times",
}


def _title(name: str, v: Voice) -> str:
    own = {"repurchasers", "repurchase_rate", "value_per_buyer", "acquisition_cost", "value_to_cost"}
    return v.word(name) if name in own else v.metric(name)


def _cohort(f: Findings, number: int, name: str) -> Figure:
    return found(f.readings.cohorts, "rows", number, name, unit=_UNITS[name])


def _customer(kind: str, v: Voice) -> str:
    return v.word(kind) if kind in ("new", "returning", "unknown") else kind


def items(f: Findings, v: Voice) -> Section:
    """What sold best."""
    answer = f.readings.items
    names = ("gmv", "paid_gmv", "orders_paid", "refund_amount")
    rows: list[list[Line]] = [
        [(v.value(row["item_id"]),), *((metric(answer, "rows", number, name),) for name in names)]
        for number, row in enumerate(answer.rows)
    ]
    if not rows:
        return Section("items", v.word("items"), [Paragraph(v.say("no_peaks"))])
    columns = [v.word("item"), *(v.metric(name) for name in names)]
    return Section("items", v.word("items"), [Table(v.word("items"), columns, rows)])
