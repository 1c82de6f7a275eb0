"""Asks all that a report needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from schemas.alerts import PIPELINE_CAMPAIGN
from services.common.clock import MINUTE_MS
from services.common.errors import NotFound
from services.review.answers import Answers, NoAnswer
from services.review.minutes import Minute, Peaks, peaks_of
from services.review.period import DAY_MS, Extent, Span, extent_of, parsed
from services.review.query import Answer, Query

logger = logging.getLogger(__name__)

CHANNEL_METRICS = (
    "paid_gmv", "net_sales", "ad_cost", "coupon_cost", "cost", "roas", "roi", "cac", "uv", "conversion_rate", "buyers",
    "new_buyers", "orders_paid", "aov",
)  # fmt: skip
CHAIN = ("uv", "buyers", "orders_paid", "paid_gmv")
"""Visitors, of them buyers, their orders, what these came to: the steps that explain an amount."""

_PHASE_METRICS = ("gmv", "paid_gmv", "uv", "conversion_rate", "orders_paid", "aov")
_CUSTOMER_METRICS = ("buyers", "orders_paid", "paid_gmv", "aov", "refund_amount_rate")
_ITEM_METRICS = ("gmv", "paid_gmv", "orders_paid", "refund_amount")
_REFUND_METRICS = ("refund_amount", "orders_refunded", "paid_gmv", "refund_amount_rate")
_CURVE_BUCKETS = 150
_MINUTES_AT_ONCE_MS = 7 * DAY_MS
_LONGEST_BY_MINUTE_MS = 120 * DAY_MS
_MOST_ALERTS = 5_000
_ALERTS_AT_ONCE = 1_000
MOST_DETAILS = 300
"""Of so many alerts the timeline is read; the newest ones where there are more."""
MOST_STOCK_OUTS = 25
BEFORE_MS = 60 * MINUTE_MS
"""How long before a stock-out its sell rate is measured."""


@dataclass(frozen=True, slots=True)
class AlertsRead:
    """The alerts of the campaign that began in the span, newest first, and the details of those that were looked at.

    `missing` says why there are none where the service of alerts did not answer.
    """

    queries: tuple[Query, ...]
    alerts: Sequence[dict[str, Any]] = ()
    details: dict[str, Answer] = field(default_factory=dict)
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """Every answer that the report is made of. What does not apply is None."""

    campaign_id: str
    campaign: Answer
    extent: Extent
    overview: Answer
    channels: Answer
    phases: Answer | None
    funnel: Answer
    curve: Answer
    curve_minutes: int
    customers: Answer
    cohorts: Answer
    by_channel: Answer
    items: Answer
    refunds: Answer
    ladder: Answer
    peaks: Peaks
    baseline_channels: Answer | None
    baseline_funnel: Answer | None
    since: Answer | None
    alerts: AlertsRead
    sold_before: dict[str, Answer]
    """What an item sold in the hour before it ran out, by the alert's id."""


async def read(answers: Answers, campaign_id: str) -> Readings:
    """Raises `NotFound` for a campaign that nobody knows and `NoAnswer` where the API fails; alerts may be missing."""
    ask = _Asker(answers, f"/api/v1/campaigns/{campaign_id}")
    try:
        campaign = await ask("")
    except NotFound:
        raise NotFound("campaign", campaign_id) from None
    extent = await _extent(ask, campaign)
    span = extent.span
    long_ago = Span(span.start_ms, max(span.end_ms, extent.since.end_ms if extent.since else 0))
    minutes = span.interval_minutes(_CURVE_BUCKETS)
    async with together() as tasks:
        overview = tasks.create_task(ask("overview", span, baseline="campaign"))
        channels = tasks.create_task(_breakdown(ask, span, "channel", CHANNEL_METRICS, "-paid_gmv", 1000))
        phased = span if campaign.at("phases") else None
        phases = tasks.create_task(_maybe_breakdown(ask, phased, "phase", _PHASE_METRICS, "phase"))
        funnel = tasks.create_task(ask("funnel", span))
        interval = "1d" if minutes == 1440 else f"{minutes}m"
        curve = tasks.create_task(ask("timeseries", span, metrics="gmv", interval=interval, baseline="campaign"))
        customers = tasks.create_task(_breakdown(ask, span, "customer_type", _CUSTOMER_METRICS, "customer_type", 10))
        cohorts = tasks.create_task(ask("cohorts", span, by="first_order_day"))
        by_channel = tasks.create_task(ask("cohorts", span, by="first_channel"))
        items = tasks.create_task(_breakdown(ask, span, "item_id", _ITEM_METRICS, "-gmv", 10))
        refunds = tasks.create_task(_breakdown(ask, long_ago, "item_id", _REFUND_METRICS, "-refund_amount", 8))
        ladder = tasks.create_task(ask("ladder", span))
        peaks = tasks.create_task(_peaks(ask, span))
        since = tasks.create_task(ask.maybe("overview", extent.since, baseline="none"))
        alerts = tasks.create_task(_alerts(answers, campaign_id, span))
    baseline = overview.result().at("baseline")
    then, there = _baseline(answers, baseline)
    stock_outs = [alert for alert in alerts.result().alerts if alert["rule"] == "stock_out"][:MOST_STOCK_OUTS]
    async with together() as tasks:
        before = {alert["id"]: tasks.create_task(_sold_before(ask, alert)) for alert in stock_outs}
        baseline_channels = tasks.create_task(_maybe_breakdown(there, then, "channel", CHAIN))
        baseline_funnel = tasks.create_task(there.maybe("funnel", then))
    return Readings(
        campaign_id=campaign_id,
        campaign=campaign,
        extent=extent,
        overview=overview.result(),
        channels=channels.result(),
        phases=phases.result(),
        funnel=funnel.result(),
        curve=curve.result(),
        curve_minutes=minutes,
        customers=customers.result(),
        cohorts=cohorts.result(),
        by_channel=by_channel.result(),
        items=items.result(),
        refunds=refunds.result(),
        ladder=ladder.result(),
        peaks=peaks.result(),
        baseline_channels=baseline_channels.result(),
        baseline_funnel=baseline_funnel.result(),
        since=since.result(),
        alerts=alerts.result(),
        sold_before={alert: task.result() for alert, task in before.items()},
    )


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that end together. Raises what the first one that failed has raised, and no group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


class _Asker:
    """Questions about one campaign."""

    def __init__(self, answers: Answers, path: str) -> None:
        self._answers = answers
        self._path = path

    async def __call__(self, what: str, span: Span | None = None, **params: str) -> Answer:
        path = f"{self._path}/{what}" if what else self._path
        period = () if span is None else span.params
        return await self._answers.get(Query(path, (*period, *params.items())))

    async def maybe(self, what: str, span: Span | None, **params: str) -> Answer | None:
        return None if span is None else await self(what, span, **params)


async def _extent(ask: _Asker, campaign: Answer) -> Extent:
    """How far everything is in: asked with metrics of every kind of event, over no time at all."""
    start = parsed(campaign.at("start")) or 0
    nothing = Span(start, start)
    said = await ask("timeseries", nothing, metrics="conversion_rate,cost", interval="1d")
    return extent_of(campaign.body, parsed(said.at("as_of")) or 0, parsed(said.at("watermark")))


async def _breakdown(
    ask: _Asker, span: Span, dimension: str, metrics: Iterable[str], order_by: str, limit: int
) -> Answer:
    names = ",".join(metrics)
    return await ask("breakdown", span, dimension=dimension, metrics=names, order_by=order_by, limit=str(limit))


async def _maybe_breakdown(
    ask: _Asker, span: Span | None, dimension: str, metrics: Iterable[str], order_by: str = "-paid_gmv"
) -> Answer | None:
    return None if span is None else await _breakdown(ask, span, dimension, metrics, order_by, 1000)


def _baseline(answers: Answers, baseline: dict[str, Any] | None) -> tuple[Span | None, _Asker]:
    if baseline is None:
        return None, _Asker(answers, "")
    start, end = parsed(baseline["from"]) or 0, parsed(baseline["to"]) or 0
    return Span(start, end), _Asker(answers, f"/api/v1/campaigns/{baseline['campaign_id']}")


async def _peaks(ask: _Asker, span: Span) -> Peaks:
    """The best minutes, from the series by the minute in pieces of a week, so that no answer grows without bound."""
    if span.end_ms - span.start_ms > _LONGEST_BY_MINUTE_MS:
        return Peaks((), None, 0)
    found = Peaks((), None, 0)
    for piece in span.pieces(_MINUTES_AT_ONCE_MS):
        answer = await ask("timeseries", piece, metrics="gmv,orders_created", interval="1m")
        found = found.merged(peaks_of([Minute.of(row) for row in answer.rows]))
    return found


async def _sold_before(ask: _Asker, alert: dict[str, Any]) -> Answer:
    end = (parsed(alert["starts_at"]) or 0) // MINUTE_MS * MINUTE_MS
    span = Span(end - BEFORE_MS, end)
    item = str(alert["labels"].get("item_id", ""))
    return await ask("breakdown", span, dimension="item_id", metrics="gmv", item_id=item, limit="1")


async def _alerts(answers: Answers, campaign_id: str, span: Span) -> AlertsRead:
    # With those of the pipeline: what was late or lost concerned this campaign, too.
    query, pipeline = (
        Query("/api/v1/alerts", (("campaign_id", name), ("limit", str(_ALERTS_AT_ONCE))))
        for name in (campaign_id, PIPELINE_CAMPAIGN)
    )
    try:
        found = await _alerts_within(answers, query, span)
        found += await _alerts_within(answers, pipeline, span)
        found.sort(key=lambda alert: (str(alert["starts_at"]), str(alert["id"])), reverse=True)
        chosen = [alert["id"] for alert in found if alert["incident"] == alert["id"]][:MOST_DETAILS]
        async with together() as tasks:
            details = {name: tasks.create_task(_detail(answers, name)) for name in chosen}
    except (NoAnswer, NotFound) as error:
        logger.warning("review without alerts", extra={"campaign_id": campaign_id, "error": str(error)})
        return AlertsRead((query, pipeline), missing=str(error))
    kept = {name: answer for name, task in details.items() if (answer := task.result()) is not None}
    return AlertsRead((query, pipeline), found, kept)


async def _detail(answers: Answers, alert_id: str) -> Answer | None:
    """None where it cannot be had: a timeline that is missing is a dash, and no reason to tell nothing at all."""
    try:
        return await answers.get(Query(f"/api/v1/alerts/{alert_id}"))
    except (NoAnswer, NotFound):
        return None


async def _alerts_within(answers: Answers, query: Query, span: Span) -> list[dict[str, Any]]:
    """Those that began in the span; pages are followed until they lie before it."""
    found: list[dict[str, Any]] = []
    seen = 0
    page = query
    while seen < _MOST_ALERTS:
        answer = await answers.get(page)
        rows = answer.rows
        seen += len(rows)
        found += [row for row in rows if row["state"] != "pending" and _began_within(row, span)]
        cursor = answer.at("next_cursor")
        if not cursor or not rows or (parsed(rows[-1]["starts_at"]) or 0) < span.start_ms:
            break
        page = Query(query.path, (*query.params, ("cursor", str(cursor))))
    return found


def _began_within(alert: dict[str, Any], span: Span) -> bool:
    return span.start_ms <= (parsed(alert["starts_at"]) or 0) < span.end_ms
