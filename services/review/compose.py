"""From the answers to the report: which chapters, in which order, with which notes."""

from __future__ import annotations

from collections.abc import Sequence

from services.review.advice import advice
from services.review.document import Document, Language, Note, figures_of
from services.review.findings import Findings, findings_of
from services.review.query import Query
from services.review.read import Readings
from services.review.sections import course, head, money, results, selling, trouble
from services.review.words.voice import Voice

_DEFINED = (
    "gmv", "paid_gmv", "net_sales", "uv", "conversion_rate", "orders_created", "orders_paid", "buyers", "new_buyers",
    "aov", "refund_amount", "orders_refunded", "refund_amount_rate", "payment_rate", "coupon_redemption_rate",
    "ad_cost", "coupon_cost", "cost", "roas", "roi", "cac",
)  # fmt: skip


def compose(readings: Readings, language: Language) -> Document:
    """The report in a language. Pure: the same answers give the same report."""
    f, v = findings_of(readings), Voice(language)
    chapters = (
        head.summary, results.targets, results.drivers, selling.channels, selling.funnel, course.peaks,
        selling.customers, selling.items, trouble.stock, trouble.incidents, money.refunds, advice,
    )  # fmt: skip
    said = Document(
        language=language,
        title=str(readings.campaign.at("name") or readings.campaign_id),
        kicker=v.word("review"),
        facts=head.facts(f, v),
        sections=[chapter(f, v) for chapter in chapters],
        notes_title=v.word("notes"),
        queries_title=v.word("queries"),
        contents_title=v.word("contents"),
        other_language=v.word("other_language"),
        definitions=[(v.metric(name), v.definition(name)) for name in _DEFINED],
        definitions_title=v.word("definitions"),
    )
    used = dict.fromkeys(figure.note for figure in figures_of(said) if figure.note)
    notes = [Note(name, *v.note(name), queries=_behind(name, f)) for name in used]
    return Document(**{field: getattr(said, field) for field in Document.__slots__} | {"notes": notes})


def _behind(note: str, f: Findings) -> Sequence[Query]:
    """The queries that the figures of a note were computed from."""
    r = f.readings
    since = [r.since.query] if r.since is not None else []
    drivers = list(f.drivers.queries) if f.drivers is not None else []
    baseline = [r.baseline_funnel.query] if r.baseline_funnel is not None else []
    return {
        "elapsed": [r.campaign.query],
        "change": [r.overview.query],
        "drivers": drivers[:1],
        "channel_drivers": drivers[1:],
        "budget": [r.campaign.query, r.channels.query],
        "leak": [r.funnel.query, *baseline, r.overview.query],
        "peak": [r.overview.query],
        "stock": [*r.alerts.queries, *(answer.query for answer in r.sold_before.values())],
        "response": list(r.alerts.queries),
        "refunds": [r.overview.query, *since],
        "share": [r.overview.query],
        "repurchase": [r.cohorts.query],
        "suspected": [r.ladder.query],
        "unpaid": [r.overview.query],
    }[note]
