"""What to do next time: rules over the figures. Each sentence names the figure that it follows from."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from services.review.document import Line, Points, Section
from services.review.document import Paragraph as Said
from services.review.figures import computed, duration, found, metric, unit_of
from services.review.findings import Findings
from services.review.incidents import median_of
from services.review.period import Stage
from services.review.sections.course import busiest, peak_ratio
from services.review.sections.results import factor_name
from services.review.sections.selling import used
from services.review.words.voice import Voice

MISSED = Decimal("0.9")
"""A target that was reached to less is worth a sentence."""
EXCEEDED = Decimal("1.2")
"""A target that was exceeded by more was no target."""
OVERSPENT = Decimal("1.05")
UNSPENT = Decimal("0.9")
LOW_PAYMENT = 0.8
SLOW_MS = 10 * 60_000
MANY_TIMES = 3
"""The share of refunds of an item against that of the whole, and of the peak against the mean."""
LEAST_REFUNDS = 5
LOW_REPURCHASE = 0.2
SUSPECT_SHARE = Decimal("0.005")
_MOST_OF_A_KIND = 3


def advice(f: Findings, v: Voice) -> Section:
    """Each rule says nothing, a sentence, or a few."""
    rules: tuple[Callable[[Findings, Voice], list[Line]], ...] = (
        _missed_targets,
        _drivers,
        _channels,
        _leak,
        _payment,
        _stock,
        _response,
        _refunds,
        _peak,
        _repurchase,
        _brushing,
    )
    lines = [line for rule in rules for line in rule(f, v) if line]
    blocks = [Points(lines, ordered=True)] if lines else [Said(v.say("no_advice"))]
    return Section("next", v.word("next"), blocks)


def _missed_targets(f: Findings, v: Voice) -> list[Line]:
    if f.readings.extent.stage is not Stage.ENDED:
        return []
    overview = f.readings.overview
    declared = overview.at("targets") or {}
    missed: list[tuple[float, Line]] = []
    exceeded: list[Line] = []
    places = [("", goals) for goals in (declared.get("total") or {},)] + list((declared.get("phases") or {}).items())
    for phase, goals in places:
        place = ("targets", "phases", phase) if phase else ("targets", "total")
        for name, goal in goals.items():
            share = goal["attained"]
            if share is None:
                continue
            attained = found(overview, *place, name, "attained", unit="percent")
            value = found(overview, *place, name, "value", unit=unit_of(name))
            target = found(overview, *place, name, "target", unit=unit_of(name))
            if Decimal(str(share)) < MISSED:
                said = v.say(
                    "advice_missed", phase=phase or v.word("total"), attained=attained, metric=v.metric(name),
                    value=value, target=target,
                )  # fmt: skip
                missed.append((share, said))
            elif not phase and Decimal(str(share)) > EXCEEDED:
                exceeded.append(v.say("advice_target_low", metric=v.metric(name), attained=attained, value=value))
    missed.sort(key=lambda item: item[0])
    return [line for _, line in missed[:_MOST_OF_A_KIND]] + exceeded[:_MOST_OF_A_KIND]


def _drivers(f: Findings, v: Voice) -> list[Line]:
    d = f.drivers
    if d is None or d.whole.parts is None:
        return []
    against = v.word(f"the_{d.against}")
    lines = []
    worst = min(range(len(d.chain)), key=lambda link: (d.whole.parts or ())[link])
    best = max(range(len(d.chain)), key=lambda link: (d.whole.parts or ())[link])
    for link, sentence, wanted in ((worst, "advice_factor_down", -1), (best, "advice_factor_up", 1)):
        part = d.whole.parts[link]
        if part * wanted > 0:
            contribution = computed(part, "money", "drivers", sign=True, good=True)
            lines.append(
                v.say(sentence, factor=factor_name(d.chain, link, v), against=against, contribution=contribution)
            )
    return lines


def _channels(f: Findings, v: Voice) -> list[Line]:
    answer, campaign = f.readings.channels, f.readings.campaign
    budgets = campaign.at("budgets") or {}
    numbered = list(enumerate(answer.rows))
    lines = []
    for number, row in sorted(numbered, key=lambda item: item[1]["roi"] if item[1]["roi"] is not None else 0):
        if row["roi"] is not None and row["roi"] < 0:
            roi, cost = metric(answer, "rows", number, "roi"), metric(answer, "rows", number, "cost")
            lines.append(v.say("advice_channel_loss", channel=v.value(row["channel"]), roi=roi, cost=cost))
    lines = lines[:_MOST_OF_A_KIND]
    spending = [(number, row) for number, row in numbered if row["roas"] is not None]
    if len(spending) > 1:
        number, row = max(spending, key=lambda item: item[1]["roas"])
        share = _share(row["ad_cost"], budgets.get(row["channel"]))
        if share is not None and share < UNSPENT and (row["roi"] or 0) > 0:
            roas = metric(answer, "rows", number, "roas")
            budget_used = used(budgets[row["channel"]], row["ad_cost"])
            said = v.say("advice_channel_best", channel=v.value(row["channel"]), roas=roas, used=budget_used)
            lines.append(said)
    for number, row in numbered:
        share = _share(row["ad_cost"], budgets.get(row["channel"]))
        if share is not None and share > OVERSPENT:
            lines.append(
                v.say(
                    "advice_overspent",
                    channel=v.value(row["channel"]),
                    used=used(budgets[row["channel"]], row["ad_cost"]),
                    spent=metric(answer, "rows", number, "ad_cost"),
                    budget=found(campaign, "budgets", row["channel"], unit="money"),
                )
            )
    return lines


def _share(spent: str | None, budget: str | None) -> Decimal | None:
    return Decimal(str(spent)) / Decimal(str(budget)) if spent and budget and Decimal(str(budget)) else None


def _leak(f: Findings, v: Voice) -> list[Line]:
    then = f.readings.baseline_funnel
    worse = [leak for leak in f.leaks if leak.against is not None and leak.against > 0]
    if then is None or not worse:
        return []
    leak = max(worse, key=lambda leak: leak.against or 0)
    return [
        v.say(
            "advice_leak",
            previous=v.word(leak.previous),
            step=v.word(leak.step),
            rate=found(f.readings.funnel, "rows", leak.row, "step_conversion", unit="percent"),
            then=found(then, "rows", leak.row, "step_conversion", unit="percent"),
            worth=computed(leak.against, "money", "leak"),
        )
    ]


def _payment(f: Findings, v: Voice) -> list[Line]:
    overview = f.readings.overview
    rate = overview.at("metrics", "payment_rate")
    if rate is None or rate >= LOW_PAYMENT:
        return []
    unpaid = overview.at("metrics", "orders_created") - overview.at("metrics", "orders_paid")
    said = v.say(
        "advice_payment", rate=metric(overview, "metrics", "payment_rate"), unpaid=computed(unpaid, "count", "unpaid")
    )
    return [said]


def _stock(f: Findings, v: Voice) -> list[Line]:
    return [
        v.say(
            "advice_stock",
            item=out.item,
            lasted=duration(out.lasted_ms, v.language, "stock"),
            lost=computed(out.lost, "money", "stock"),
        )
        for out in f.stock_outs[:_MOST_OF_A_KIND]
        if out.lost
    ]


def _response(f: Findings, v: Voice) -> list[Line]:
    lines = []
    taken = median_of(incident.to_acknowledge for incident in f.incidents)
    if taken.ms is not None and taken.ms >= SLOW_MS:
        lines.append(v.say("advice_slow", median=duration(taken.ms, v.language, "response")))
    paged = [incident for incident in f.incidents if incident.paged]
    untaken = [incident for incident in paged if incident.to_acknowledge is None]
    if untaken:
        counts = {"untaken": len(untaken), "paged": len(paged)}
        lines.append(
            v.say("advice_untaken", **{name: computed(count, "count", "response") for name, count in counts.items()})
        )
    return lines


def _refunds(f: Findings, v: Voice) -> list[Line]:
    answer, whole = f.readings.refunds, f.readings.overview.at("metrics", "refund_amount_rate")
    candidates = [
        (row["refund_amount_rate"], number, row)
        for number, row in enumerate(answer.rows)
        if row["refund_amount_rate"] is not None
        and row["orders_refunded"] >= LEAST_REFUNDS
        and row["item_id"] != "unknown"
        and whole
        and row["refund_amount_rate"] > MANY_TIMES * whole
    ]
    if not candidates:
        return []
    _, number, row = max(candidates, key=lambda item: Decimal(item[2]["refund_amount"]))
    return [
        v.say(
            "advice_refunds",
            item=row["item_id"],
            rate=metric(answer, "rows", number, "refund_amount_rate"),
            amount=metric(answer, "rows", number, "refund_amount"),
            whole=metric(f.readings.overview, "metrics", "refund_amount_rate"),
        )
    ]


def _peak(f: Findings, v: Voice) -> list[Line]:
    ratio = peak_ratio(f)
    return [busiest(f, v, "advice_peak")] if ratio is not None and ratio >= MANY_TIMES else []


def _repurchase(f: Findings, v: Voice) -> list[Line]:
    if f.readings.extent.stage is not Stage.ENDED:
        return []
    rows = f.readings.cohorts.rows
    buyers = sum(row["buyers"] for row in rows)
    again = sum(row["repurchasers"] for row in rows)
    if not buyers or again / buyers >= LOW_REPURCHASE:
        return []
    rate = computed(Decimal(again) / buyers, "percent", "repurchase")
    counts = {name: computed(n, "count", "repurchase") for name, n in (("again", again), ("buyers", buyers))}
    return [v.say("advice_repurchase", rate=rate, **counts)]


def _brushing(f: Findings, v: Voice) -> list[Line]:
    amounts = {row["rung"]: row["amount"] for row in f.readings.ladder.rows}
    kept, clean = amounts.get("net_of_refunds"), amounts.get("net_of_suspicion")
    if kept is None or clean is None:
        return []
    suspected = Decimal(kept) - Decimal(clean)
    if suspected <= SUSPECT_SHARE * Decimal(kept):
        return []
    return [v.say("advice_brushing", amount=computed(suspected, "money", "suspected"))]
