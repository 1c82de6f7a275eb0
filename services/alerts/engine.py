"""Rules, scene and open alerts in; transitions out. Pure: reads no clock and no store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.detectors import AnyDetector, CampaignDetector, PipelineDetector
from services.alerts.detectors.base import Verdict, Verdicts
from services.alerts.flapping import fires_again, remembered, steadied
from services.alerts.incidents import incidents_of
from services.alerts.lifecycle import OPEN, Life, Sighting, State, advance
from services.alerts.muting import Around, settle
from services.alerts.patience import Patience
from services.alerts.plan import Plan
from services.alerts.readings.inquiry import Inquiry
from services.alerts.rules.model import Rule, Text
from services.alerts.scene import PIPELINE, CampaignScene, PipelineScene, Scene
from services.common import prometheus

_Look = TypeVar("_Look", CampaignScene, PipelineScene)

logger = logging.getLogger(__name__)

_CAUGHT_UP_MS = 10_000

IsSilenced = Callable[[Alert, int], str | bool]
"""Whether an alert is muted at a moment, or by what, for its timeline."""


@dataclass(frozen=True, slots=True)
class Round:
    """The outcome of one look: every alert that is pending or open after it, and what has changed.

    `past` holds what has ended lately, by fingerprint. `judged`: what was there to be seen was seen.
    """

    alerts: Mapping[str, Alert]
    transitions: Sequence[Transition]
    past: Mapping[str, Alert] = field(default_factory=dict)
    judged: bool = True


class _Advanced(NamedTuple):
    """An alert after a look; whether its state is another than before, and whether it was seen to be bad just now."""

    alert: Alert
    changed: bool = False
    bad: bool = False


class Engine:
    """Holds the alerts that are pending or open, by fingerprint.

    `evaluate` proposes, `commit` accepts: between them the transitions are made durable, and what could not be is
    proposed again by the next look.
    """

    def __init__(self, rules: Sequence[Rule], open_alerts: Iterable[Alert] = ()) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._incidents = incidents_of(rules)
        self._detectors: dict[str, AnyDetector] = {rule.name: rule.build() for rule in rules}
        self.alerts: Mapping[str, Alert] = {}
        self._past: Mapping[str, Alert] = {}
        self.patience = Patience()
        self.adopt(open_alerts)

    def replace_rules(self, rules: Sequence[Rule]) -> None:
        """These are judged from the next look on.

        Alerts of a rule that keeps its name go on; those of one that is gone are resolved by the next look.
        """
        detectors: dict[str, AnyDetector] = {rule.name: rule.build() for rule in rules}
        self.rules, self._detectors = {rule.name: rule for rule in rules}, detectors
        self._incidents = incidents_of(rules)

    @property
    def detectors(self) -> Mapping[str, AnyDetector]:
        return self._detectors

    def evaluate(self, scene: Scene, is_silenced: IsSilenced) -> Round:
        """Looks at everything once."""
        advanced: list[_Advanced] = []
        by_rule: dict[str, dict[str, Alert]] = {}
        for key, alert in self.alerts.items():
            by_rule.setdefault(alert.rule, {})[key] = alert
        for name, rule in self.rules.items():
            mine = by_rule.get(name, {})
            for campaign_id, verdicts in self._judge(name, scene):
                known = {key: mine.pop(key) for key, alert in list(mine.items()) if alert.campaign_id == campaign_id}
                advanced += self._advance(rule, campaign_id, verdicts, known, scene)
            # Of a campaign that the scene does not show nothing is known.
            for alert in mine.values():
                life = advance(alert.life, Sighting.UNKNOWN, scene.now, rule.pace)
                if life is not None:
                    advanced.append(_Advanced(replace(alert, life=life)))
        alerts, transitions = self._settled(advanced, scene.now, is_silenced)
        for alert in self.alerts.values():
            if alert.rule not in self.rules and alert.state in OPEN:
                life = replace(alert.life, state=State.RESOLVED, ends_at=scene.now)
                gone = replace(alert, life=life, seq=alert.seq + 1)
                notice = "resolved" if alert.notified else ""
                transitions.append(Transition(gone, scene.now, note="the rule was removed", notice=notice))
        past = self._remembered(alerts, transitions, scene.now)
        return Round(alerts, transitions, past, judged=scene.pipeline.caught_up(_CAUGHT_UP_MS))

    def adopt(self, alerts: Iterable[Alert]) -> None:
        """Takes these for the alerts that are pending, open, or lately over; of two of one thing the later one."""
        alerts = list(alerts)
        self.alerts = {alert.fingerprint: alert for alert in alerts if alert.state is not State.RESOLVED}
        self._past = {alert.fingerprint: alert for alert in alerts if alert.state is State.RESOLVED}

    def commit(self, outcome: Round) -> None:
        """Accepts a round: its transitions are durable now."""
        self.alerts, self._past = outcome.alerts, outcome.past
        if outcome.judged:
            # From now on this process knows itself.
            self.patience = Patience()

    def acknowledge(self, alert: Alert, now: int, actor: str, note: str) -> Transition:
        """The transition of a firing alert that somebody takes on; nothing changes before `accept`."""
        life = replace(alert.life, state=State.ACKNOWLEDGED)
        notice = "acknowledged" if alert.notified else ""
        return Transition(replace(alert, life=life, seq=alert.seq + 1), now, actor, note, notice)

    def accept(self, transition: Transition) -> None:
        """Accepts a transition that did not come from a round."""
        alert = transition.alert
        self.alerts = {**self.alerts, alert.fingerprint: alert}

    def asks(self, now: int, plan: Plan | None) -> set[Inquiry]:
        """What the detectors want to be read of a campaign with that plan."""
        detectors = (detector for detector in self._detectors.values() if isinstance(detector, CampaignDetector))
        return {ask for detector in detectors for ask in detector.asks(now, plan)}

    def _settled(
        self, advanced: Sequence[_Advanced], now: int, is_silenced: IsSilenced
    ) -> tuple[dict[str, Alert], list[Transition]]:
        """The alerts of a look by fingerprint, and what is to be recorded, once it is known which cause which."""
        alerts: dict[str, Alert] = {}
        transitions: list[Transition] = []
        silenced = {alert.id: is_silenced(alert, now) for alert, *_ in advanced if alert.state is not State.PENDING}
        unheard = {alert_id for alert_id, by in silenced.items() if by}
        causes = self._incidents.among((alert for alert, *_ in advanced), unheard)
        for alert, changed, bad in advanced:
            if alert.state is State.PENDING:
                alerts[alert.fingerprint] = alert
                continue
            cause = causes.of(alert)
            incident = "" if cause is None else causes.root(cause).incident
            around = Around(
                self._incidents.effect(alert.rule),
                self.rules[alert.rule].escalation,
                silenced[alert.id],
                cause,
                incident,
                bad,
            )
            settled, transition = settle(alert, changed, now, around)
            if transition is not None:
                transitions.append(transition)
            if settled.state is not State.RESOLVED:
                alerts[settled.fingerprint] = settled
        return alerts, transitions

    def _remembered(self, alerts: Mapping[str, Alert], transitions: Sequence[Transition], now: int) -> dict[str, Alert]:
        ended = {t.alert.fingerprint: t.alert for t in transitions if t.alert.state is State.RESOLVED}
        return {
            key: alert
            for key, alert in {**self._past, **ended}.items()
            if (key not in alerts or alerts[key].state is State.PENDING)
            and alert.rule in self.rules
            and remembered(alert, now, self.rules[alert.rule].pace)
        }

    def _judge(self, name: str, scene: Scene) -> Iterable[tuple[str, Verdicts]]:
        detector = self._detectors[name]
        if isinstance(detector, PipelineDetector):
            yield PIPELINE, _guarded(name, detector.judge, scene.pipeline)
            return
        assert isinstance(detector, CampaignDetector)
        caught_up = scene.pipeline.caught_up(detector.complete_within_ms)
        for campaign_id, campaign in scene.campaigns.items():
            phase = campaign.phase
            wanted = self.rules[name].severity.at("" if phase is None else phase.name) is not None
            if campaign.over or not wanted:
                yield campaign_id, []
            else:
                yield campaign_id, _guarded(name, detector.judge, campaign) if caught_up else None

    def _advance(
        self, rule: Rule, campaign_id: str, verdicts: Verdicts, known: dict[str, Alert], scene: Scene
    ) -> Iterable[_Advanced]:
        """Each alert of the rule and campaign after this look."""
        for verdict in verdicts or ():
            labels = {**rule.labels, **verdict.labels, "campaign_id": campaign_id}
            key = fingerprint_of(rule.name, labels)
            before = known.pop(key, None)
            pace = steadied(rule.pace, before.flaps if before else 0)
            life = advance(before.life if before else self._pending(key, scene.now), verdict.sighting, scene.now, pace)
            if life is None:
                continue
            entered = before is None or before.life.state is not life.state
            bad = verdict.sighting in (Sighting.BREACH, Sighting.HOLDS)
            if before is not None and not (entered and life.state is State.FIRING):
                yield _Advanced(before if life is before.life else replace(before, life=life), entered, bad)
            else:
                alert = _described(rule, labels, key, life, verdict, before, scene)
                past = self._past.get(key)
                yield _Advanced(alert if before or past is None else _after(alert, past, rule), entered, bad)
        rest = Sighting.UNKNOWN if verdicts is None else Sighting.CLEAR
        for before in known.values():
            life = advance(before.life, rest, scene.now, steadied(rule.pace, before.flaps))
            if life is not None:
                yield _Advanced(replace(before, life=life), life.state is not before.life.state)

    def _pending(self, key: str, now: int) -> Life | None:
        """What an earlier process knew of a condition of which this one has not heard."""
        began = self.patience.began(key, now)
        return None if began is None or key in self.alerts or key in self._past else Life(State.PENDING, began)


def _guarded(rule: str, judge: Callable[[_Look], Verdicts], scene: _Look) -> Verdicts:
    """One rule that fails must not blind the others: it has not judged, and says so in the log and a metric."""
    try:
        return judge(scene)
    except Exception:
        prometheus.ALERT_RULE_FAILURES.labels(rule).inc()
        logger.exception("rule failed", extra={"rule": rule})
        return None


def _after(alert: Alert, past: Alert, rule: Rule) -> Alert:
    """An alert that begins after one of the same thing has ended: it may be that one, come back."""
    begun = alert.life.pending_at
    if not remembered(past, begun, rule.pace):
        return alert
    flaps = past.flaps + 1
    if not fires_again(past, begun, rule.pace):
        return replace(alert, flaps=flaps)
    return replace(
        alert,
        id=past.id,
        seq=past.seq,
        incident=past.id,
        flaps=flaps,
        # What was told of it before has ended: what is told now began after that.
        starts_at=max(alert.starts_at, past.ends_at or 0),
    )


def _described(
    rule: Rule,
    labels: Mapping[str, str],
    key: str,
    life: Life,
    verdict: Verdict,
    before: Alert | None,
    scene: Scene,
) -> Alert:
    onset = life.pending_at if verdict.onset is None else min(verdict.onset, life.pending_at)
    watermark = scene.pipeline.watermark
    campaign = scene.campaigns.get(labels["campaign_id"])
    phase = campaign.phase if campaign is not None else None
    named = "" if phase is None else phase.name
    # A rule that is not judged in this phase does not come here; the pipeline's rules know no phases.
    severity = rule.severity.at(named) or "warning"
    facts = {
        **labels,
        "phase": named,
        "owner": rule.owner,
        "severity": severity,
        "value": verdict.value,
        "threshold": verdict.threshold,
        **verdict.facts,
    }
    annotations = _annotations(rule, rule.runbook.at(severity, rule.owner), facts)
    identity = before.id if before else alert_id(life.pending_at, key)
    return Alert(
        id=identity,
        rule=rule.name,
        severity=severity,
        campaign_id=labels["campaign_id"],
        labels=labels,
        fingerprint=key,
        life=life,
        value=float(verdict.value),
        threshold=float(verdict.threshold),
        summary=annotations["summary"],
        runbook=annotations["runbook"],
        starts_at=onset if before is None else before.starts_at if before.flaps else min(onset, before.starts_at),
        complete_until=scene.now if watermark is None else watermark,
        evidence=verdict.evidence,
        owner=rule.owner,
        phase=named,
        annotations=annotations,
        impact=verdict.impact,
        incident=identity,
        seq=before.seq if before else 0,
        flaps=before.flaps if before else 0,
        timezone="UTC" if campaign is None or campaign.plan is None else campaign.plan.timezone,
    )


class _Facts(dict[str, str | int | float]):
    """What a text may name: a page with a hole in it is better than no page."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _annotations(rule: Rule, runbook: Text, known: Mapping[str, str | int | float]) -> dict[str, str]:
    facts = _Facts(known)
    texts = {"summary": rule.summary, **rule.annotations}
    rendered = {name: text.en.format_map(facts) for name, text in texts.items()}
    rendered |= {f"{name}_zh": text.zh.format_map(facts) for name, text in texts.items()}
    return rendered | {"runbook": runbook.en, "runbook_zh": runbook.zh}
