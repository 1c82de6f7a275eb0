"""Business numbers for Prometheus: read on a schedule, never by a scrape, and never more than a bounded number."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from schemas.metrics import Value
from services.common import prometheus
from services.common.clock import MINUTE_MS, Clock, floor_minute, to_ms
from services.common.errors import StoreError
from services.common.prometheus import BASELINE_METRICS, CHANNEL_METRICS, business_name
from services.common.query.completeness import Completeness, read_completeness
from services.common.query.engine import QueryEngine
from services.common.query.folds import FoldCuts
from services.common.query.funnel import funnel
from services.common.query.question import Question
from services.common.store import StorePool
from services.metrics.baselines.choice import DECLARED, find_baseline
from services.metrics.campaigns import CampaignBook, KnownCampaign
from services.metrics.overview import metrics_of
from services.metrics.pacing.goals import Scope, State
from services.metrics.pacing.pace import pace
from services.metrics.pacing.reading import Reading
from services.metrics.pacing.table import read_pacing
from services.metrics.store_health import store_health
from services.metrics.tables import gross_margin

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 15.0
"""Prometheus scrapes every 15 s to a minute; a refresh that is slow comes less often, so that it takes a tenth of the
time at most."""

FIRST_SECONDS = 5.0
"""The first refresh waits, so that a start under load answers requests first."""

GONE_SECONDS = 60.0
"""When no refresh has succeeded for so long, the numbers are withdrawn: a gap is better than a line that is old."""

MOST_CAMPAIGNS = 20
"""Of the campaigns that are running, those that started last are exported."""

MOST_CHANNELS = 12
"""The channels with the largest gmv are exported by name, the rest together as `other`."""

OTHER = "other"

_QUIET_MS = 3_600_000
"""A campaign that was never declared runs until an hour after its last event."""

Samples = defaultdict[str, dict[tuple[str, ...], float]]


class Exporter:
    """Owns what `prometheus.BUSINESS` publishes."""

    def __init__(
        self,
        pool: StorePool,
        engine: QueryEngine,
        book: CampaignBook,
        currency: str,
        clock: Clock,
        external_url: str = "",
    ) -> None:
        self._pool = pool
        self._cuts = FoldCuts(pool)
        self._external_url = external_url
        self._engine = engine
        self._book = book
        self._currency = currency
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Refreshes until `stop` is set. A refresh that fails is logged and counted, and made again."""
        loop = asyncio.get_running_loop()
        pause, succeeded = FIRST_SECONDS, loop.time()
        try:
            while not await _stopped(stop, pause):
                started = loop.time()
                try:
                    with prometheus.BUSINESS_REFRESH_SECONDS.time():
                        await self.refresh()
                    succeeded = loop.time()
                except Exception as error:
                    prometheus.BUSINESS_REFRESH_FAILURES.inc()
                    logger.warning(
                        "business metrics not refreshed",
                        extra={"error": str(error)},
                        exc_info=None if isinstance(error, StoreError) else error,
                    )
                    if loop.time() - succeeded > GONE_SECONDS:
                        prometheus.BUSINESS.publish({})
                pause = max(PERIOD_SECONDS, 9 * (loop.time() - started)) * random.uniform(0.9, 1.1)
        finally:
            prometheus.BUSINESS.publish({})

    async def refresh(self) -> None:
        """Reads the numbers of the running campaigns, one campaign after the other, and publishes them together."""
        now = self._clock()
        completeness = await read_completeness(self._pool, now)
        running = [campaign for campaign in await self._book.list() if _runs(campaign, now)]
        exported = running[:MOST_CAMPAIGNS]
        samples: Samples = defaultdict(dict)
        for campaign in exported:
            await self._campaign(samples, campaign.campaign_id, completeness)
        samples["warroom_campaigns_running"][()] = len(running)
        samples["warroom_campaigns_exported"][()] = len(exported)
        for kind, moment in completeness.watermarks.items():
            samples["warroom_watermark_age_seconds"][(kind,)] = max(0, now - moment) / 1000
        samples["warroom_business_refresh_timestamp_seconds"][()] = now / 1000
        samples["warroom_reporting_currency_info"][(self._currency,)] = 1
        if self._external_url:
            samples["warroom_external_url_info"][(self._external_url,)] = 1
        samples |= await store_health(self._pool)
        prometheus.BUSINESS.publish(samples)

    async def _campaign(self, samples: Samples, name: str, completeness: Completeness) -> None:
        # Read again, for those before it may have taken long: where its events lie is to be known as of now.
        campaign = await self._book.get(name)
        end = floor_minute(completeness.as_of_ms) + MINUTE_MS
        question = Question(name, campaign.start_ms, end, extent=campaign.extent)
        _put(samples, (name,), await metrics_of(self._engine, campaign, question))
        for channel, values in (await self._channels(campaign, question)).items():
            _put(samples, (name, channel), values)
        for step in (await funnel(self._pool, question, self._cuts))[""]:
            if step.users is not None:
                samples["warroom_campaign_funnel_users"][name, step.step] = step.users
        await self._baseline(samples, campaign, question, completeness.as_of_ms)
        budgets: list[Reading] = []
        for reading in await read_pacing(self._engine, self._book, campaign, completeness):
            goal = reading.goal
            found = pace(goal, reading.course, completeness.as_of_ms)
            if goal.scope is Scope.BUDGET:
                budgets.append(reading)
            elif (goal.scope is Scope.CAMPAIGN or found.state is State.CURRENT) and goal.target > 0:
                # Of the phases only the current one: at most two rows a metric, however many phases there are.
                labels = (name, goal.scope.value, goal.metric)
                samples["warroom_campaign_target"][labels] = float(goal.target)
                for what, value in (
                    ("attained", found.value),
                    ("expected", found.expected),
                    ("projected", found.projected),
                ):
                    if value is not None:
                        share = float(Decimal(value) / goal.target)
                        samples[f"warroom_campaign_target_{what}_ratio"][labels] = share
        _put_budgets(samples["warroom_campaign_budget_used_ratio"], name, budgets)

    async def _baseline(self, samples: Samples, campaign: KnownCampaign, question: Question, now: int) -> None:
        baseline = await find_baseline(self._book, campaign, DECLARED)
        if baseline is None:
            return
        then = baseline.question(question, now)
        answer = await self._engine.metrics(then, BASELINE_METRICS, gross_margin(baseline.campaign))
        for metric, value in answer.rows.get((0, ""), answer.empty).items():
            if value is not None:
                samples["warroom_campaign_baseline"][campaign.campaign_id, metric] = float(value)

    async def _channels(self, campaign: KnownCampaign, question: Question) -> dict[str, Mapping[str, Value]]:
        margin = gross_margin(campaign)
        answer = await self._engine.metrics(replace(question, group_by="channel"), CHANNEL_METRICS, margin)
        found = {value: row for (_, value), row in answer.rows.items()}
        # A channel that calls itself `other` is one of the others.
        ranked = sorted(found.keys() - {OTHER}, key=lambda value: (-Decimal(found[value]["gmv"] or 0), value))
        named = ranked[:MOST_CHANNELS]
        rest = tuple(sorted(found.keys() - set(named)))
        channels: dict[str, Mapping[str, Value]] = {value: found[value] for value in named}
        if rest:
            # Visitors of several channels are no sum: the others are asked for together.
            together = await self._engine.metrics(replace(question, filters={"channel": rest}), CHANNEL_METRICS, margin)
            channels[OTHER] = together.rows.get((0, ""), together.empty)
        return channels


def _put(samples: Samples, labels: tuple[str, ...], values: Mapping[str, Value]) -> None:
    for metric, value in values.items():
        if value is not None:
            samples[business_name(metric, channel=len(labels) > 1)][labels] = float(value)


def _put_budgets(samples: dict[tuple[str, ...], float], name: str, budgets: list[Reading]) -> None:
    """The largest budgets by channel, the rest together."""
    ranked = sorted(budgets, key=lambda reading: (-reading.goal.target, reading.goal.channel))
    groups: dict[str, list[Reading]] = {}
    for reading in ranked:
        own = len(groups.keys() - {OTHER}) < MOST_CHANNELS and reading.goal.channel != OTHER
        groups.setdefault(reading.goal.channel if own else OTHER, []).append(reading)
    for channel, group in groups.items():
        budget = sum((reading.goal.target for reading in group), Decimal(0))
        if budget > 0:
            spent = sum((Decimal(reading.course.value or 0) for reading in group), Decimal(0))
            samples[name, channel] = float(spent / budget)


def _runs(campaign: KnownCampaign, now_ms: int) -> bool:
    if campaign.declared is not None:
        return campaign.start_ms <= now_ms < to_ms(campaign.declared.end)
    return campaign.last_event_ms is not None and campaign.start_ms <= now_ms < campaign.last_event_ms + _QUIET_MS


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Waits, and says whether `stop` was set meanwhile."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
