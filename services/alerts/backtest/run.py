"""Runs the rules over a period of the store, step by step.

A moment shows what had happened before it, by event time: late events are seen as if they had come at once, for the
rollups keep no arrival. Metrics of the rollups are seen when their minute is over, so that a rule that fires above a
bound may fire up to a minute later than it would have then. The plans are those of today.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.alerts.alert import Alert, Transition
from services.alerts.backtest.load import LEAD_SECONDS, Span, active_campaigns, read_pasts, read_plans, read_refused
from services.alerts.engine import Engine
from services.alerts.lifecycle import OPEN, State
from services.alerts.memory.past import Past, running
from services.alerts.memory.stage import Answered, Stage
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask, Curve, CurveReading, Reading
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.reader import Reader
from services.alerts.readings.seconds import Seconds
from services.alerts.readings.watch import Found, Watch, Watched
from services.alerts.rules.model import Rule
from services.alerts.scene import PartitionProgress, PipelineScene
from services.alerts.series import Counts
from services.common.clock import floor_minute
from services.common.store import StorePool

LONGEST_SECONDS = 7 * 86_400
_REFUSED_SECONDS = 60
_SEARCH_EVERY_MS = 30_000
"""Suspects are searched for among the events themselves, which takes most of the time."""
_BLIND = frozenset({"ingest_lag", "delivery_failure"})
"""The store keeps no history of how far ingest had come, nor of receivers."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An alert from its first firing to its end, None where it was still open at the end of the period."""

    alert: Alert
    fired_at: int
    ended_at: int | None
    pages: int


@dataclass(slots=True)
class Report:
    """What would have been told. `not_judged` are rules that the store alone cannot judge."""

    campaigns: Sequence[str]
    incidents: list[Incident] = field(default_factory=list)
    not_judged: Sequence[str] = ()
    looks: int = 0
    seconds: float = 0.0

    @property
    def pages(self) -> int:
        """Notices that something fires."""
        return sum(incident.pages for incident in self.incidents)


async def backtest(
    pool: StorePool, rules: Sequence[Rule], start_ms: int, end_ms: int, *, step: int, campaign: str | None = None
) -> Report:
    """Judges [start_ms, end_ms), looking every `step` seconds. Raises `StoreError`."""
    start, end = start_ms // 60_000 * 60, -(-end_ms // 60_000) * 60
    span = Span(start - LEAD_SECONDS, start, end)
    declared = await read_plans(pool)
    campaigns = await active_campaigns(pool, span) if campaign is None else [campaign]
    plans = {name: declared.get(name) for name in campaigns}
    judged = [rule for rule in rules if rule.detector not in _BLIND]
    engine = Engine(judged)
    asked = _asked(engine, start_ms, plans.values())
    payments = [ask for ask in asked if isinstance(ask, Seconds)]
    pasts = await read_pasts(pool, span, plans, _dimensions(asked), payments) if campaigns else []
    stage = Stage(pasts, engine.asks)
    pipeline = _Pipeline(span, await read_refused(pool, span), pasts)
    elsewhere = _Elsewhere(pool, plans)
    report = Report(campaigns, not_judged=[rule.name for rule in rules if rule not in judged])
    transitions: list[Transition] = []
    began = time.perf_counter()
    # The first looks only find out that no history is being written.
    for second in range(max(span.begin, start_ms // 1000 - 2 * step), end_ms // 1000, step):
        also = {alert.campaign_id for alert in engine.alerts.values()}
        asks = stage.asks(second * 1000, also)
        missing = {name: stage.missing(name, asked, second * 1000) for name, asked in asks.items()}
        watched = {name: stage.watched(name, asked, second * 1000) for name, asked in asks.items()}
        answered = await elsewhere.answer(second * 1000, missing, watched)
        outcome = engine.evaluate(stage.scene(pipeline.scene(second), asks, answered), lambda alert, now: False)
        engine.commit(outcome)
        transitions += outcome.transitions
        report.looks += 1
    report.seconds = time.perf_counter() - began
    report.incidents = _incidents(transitions)
    return report


def _asked(engine: Engine, now: int, plans: Iterable[Plan | None]) -> set[Inquiry]:
    """What rules look at, at the beginning and in each phase."""
    moments = [(now, None), *((now, plan) for plan in plans)]
    moments += [(phase.start_ms, plan) for _, plan in moments if plan is not None for phase in plan.phases]
    return {ask for moment, plan in moments for ask in engine.asks(moment, plan)}


def _dimensions(asked: Iterable[Inquiry]) -> set[str]:
    metrics = [ask for ask in asked if isinstance(ask, Ask | Curve)]
    return {""} | {name for ask in metrics for name, _ in ask.filters} | {ask.by for ask in metrics if ask.by}


def _incidents(transitions: Iterable[Transition]) -> list[Incident]:
    found: dict[str, Incident] = {}
    for transition in transitions:
        alert = transition.alert
        known = found.get(alert.id)
        pages = int(transition.notice == "firing") + (0 if known is None else known.pages)
        if known is None and alert.state in OPEN:
            found[alert.id] = Incident(alert, transition.at, None, pages)
        elif known is not None:
            ended = alert.ends_at if alert.state is State.RESOLVED else None
            found[alert.id] = replace(known, alert=alert, ended_at=ended, pages=pages)
    return list(found.values())


class _Elsewhere:
    """Answers of the store itself, such as distinct users: once a minute, as of the minutes that are over."""

    def __init__(self, pool: StorePool, plans: Mapping[str, Plan | None]) -> None:
        self._reader = Reader(pool)
        self._watch = Watch(pool)
        self._suspects: Mapping[str, Found] = {}
        self._searched_at = 0
        self._plans = plans
        self._minute = 0
        self._known: dict[tuple[str, Ask | Curve], Reading | CurveReading] = {}

    async def answer(
        self, now: int, asks: Mapping[str, Collection[Ask | Curve]], watched: Mapping[str, Watched]
    ) -> dict[str, Answered]:
        if floor_minute(now) != self._minute:
            self._minute, self._known = floor_minute(now), {}
        wanted = [(name, ask) for name, asked in asks.items() for ask in asked if (name, ask) not in self._known]
        # The moment before the minute began: windows end with it then.
        moment = self._minute - 1
        answers = await asyncio.gather(
            *(self._reader.answer(name, ask, moment, self._minute, self._plans[name]) for name, ask in wanted)
        )
        self._known |= dict(zip(wanted, answers, strict=True))
        if now - self._searched_at >= _SEARCH_EVERY_MS or self._suspects.keys() != watched.keys():
            self._suspects, self._searched_at = await self._watch.read(now, watched), now
        found: dict[str, Answered] = {}
        for name, asked in asks.items():
            mine = {ask: self._known[name, ask] for ask in asked}
            found[name] = Answered(
                {a: answer for a, answer in mine.items() if isinstance(a, Ask) and isinstance(answer, Reading)},
                {a: answer for a, answer in mine.items() if isinstance(a, Curve) and isinstance(answer, CurveReading)},
                self._suspects[name],
            )
        return found


class _Pipeline:
    """Nothing is known of it but what was refused; all else is taken for well."""

    def __init__(self, span: Span, refused: Mapping[str, Counts], pasts: Iterable[Past]) -> None:
        self._begin = span.begin
        self._refused = {topic: running(counts) for topic, counts in refused.items()}
        self._events: dict[str, Counts] = {}
        for past in pasts:
            for kind, counts in past.kinds.items():
                known = self._events.get(kind)
                self._events[kind] = running(counts) if known is None else known + running(counts)

    def scene(self, second: int) -> PipelineScene:
        now, at = second * 1000, second - self._begin
        since = max(0, at - _REFUSED_SECONDS)
        refused = {topic: int(total[at] - total[since]) for topic, total in self._refused.items()}
        consumed = {}
        for topic, records in refused.items():
            events = self._events.get(topic.rsplit(".", 1)[-1])
            consumed[topic] = records + (0 if events is None else int(events[at] - events[since]))
        progress = [PartitionProgress("", 0, 1, 1, now, now)]
        told = {topic: records for topic, records in refused.items() if records}
        return PipelineScene(now, self._begin * 1000, progress, told, _REFUSED_SECONDS, consumed)


def as_json(report: Report, start_ms: int, end_ms: int, step: int, text: Any) -> dict[str, Any]:
    """The report as plain data; `text` writes a moment."""
    return {
        "from": text(start_ms),
        "to": text(end_ms),
        "step_seconds": step,
        "campaigns": list(report.campaigns),
        "not_judged": list(report.not_judged),
        "pages": report.pages,
        "incidents": [
            {
                "rule": one.alert.rule,
                "severity": one.alert.severity,
                "labels": dict(one.alert.labels),
                "phase": one.alert.phase,
                "starts_at": text(one.alert.starts_at),
                "fired_at": text(one.fired_at),
                "ends_at": None if one.ended_at is None else text(one.ended_at),
                "pages": one.pages,
                "value": one.alert.value,
                "threshold": one.alert.threshold,
                "summary": one.alert.summary,
            }
            for one in report.incidents
        ],
    }
