"""An engine whose detectors say what they are told to, so that rules without data can be watched for hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from services.alerts.alert import Alert, Transition
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.engine import Engine
from services.alerts.history import History, empty_series
from services.alerts.lifecycle import Sighting, State
from services.alerts.patience import patience_of
from services.alerts.rules.load import parse_rules
from services.alerts.rules.model import Rule
from services.alerts.scene import Activity, CampaignScene, PartitionProgress, PipelineScene, Scene
from services.alerts.series import zeros

NOW = 1_900_000_000_000
CAMPAIGN = "c"

Bad = dict[str, dict[str, Sighting]]
"""By rule and by the value of the label that its alerts have, '' for none: what its detector sees."""


class Told(CampaignDetector[Parameters]):
    """Says what `bad` holds for its rule; `label` names the label of its alerts."""

    parameters_type = Parameters
    complete_within_ms = 10**12

    def __init__(self, bad: Bad, rule: str, label: str) -> None:
        super().__init__(Parameters())
        self._bad, self._rule, self._label = bad, rule, label

    def judge(self, scene: CampaignScene) -> Verdicts:
        seen = self._bad.get(self._rule, {})
        if Sighting.UNKNOWN in seen.values():
            return None
        return [
            Verdict(sighting, 0, 0, labels={self._label: value} if value else {})
            for value, sighting in seen.items()
            if sighting is not Sighting.CLEAR
        ]


def rules(**stated: dict[str, Any]) -> list[Rule]:
    """Rules by name with what they state, over the least that a rule needs."""
    least = {"detector": "data_silence", "severity": "critical", "summary": "s", "runbook": "r"}
    listed = [{"name": name, **least, **given} for name, given in stated.items()]
    return parse_rules(yaml.safe_dump({"rules": listed}), "test")


@dataclass
class Stage:
    """Rules over seconds. `labels` gives the name of the label of a rule's alerts."""

    rules: Sequence[Rule]
    labels: dict[str, str] = field(default_factory=dict)
    now: int = NOW
    bad: Bad = field(default_factory=dict)
    silenced: Callable[[Alert, int], str | bool] = lambda alert, now: False
    told: list[Transition] = field(default_factory=list)
    """Every transition that was recorded."""

    def __post_init__(self) -> None:
        self.engine = self._engine([])

    def look(self, seconds: int = 1, *, written: bool = True) -> list[Transition]:
        """A look a second; what changed. `written`: the store took it."""
        seen: list[Transition] = []
        for _ in range(seconds):
            self.now += 1000
            outcome = self.engine.evaluate(_scene(self.now), self.silenced)
            if written:
                self.engine.commit(outcome)
                seen += outcome.transitions
        self.told += seen
        return seen

    def restart(self) -> None:
        """A new process, which finds what was recorded: alerts as they were last, without what only memory held."""
        last = {transition.alert.id: transition.alert for transition in self.told}
        for_ms = {rule.name: rule.for_ms for rule in self.rules}
        patience = patience_of(self.engine.alerts.values(), for_ms, self.now)
        self.engine = self._engine(
            replace(alert, life=replace(alert.life, clear_since=None)) for alert in last.values()
        )
        self.engine.patience = patience

    def acknowledge(self, by: str) -> None:
        """Somebody takes on what fires."""
        for alert in list(self.engine.alerts.values()):
            if alert.state is State.FIRING:
                transition = self.engine.acknowledge(alert, self.now, by, "")
                self.engine.accept(transition)
                self.told.append(transition)

    def notices(self) -> list[tuple[str, str]]:
        """Rule and notice of all that receivers were told."""
        return [(transition.alert.rule, transition.notice) for transition in self.told if transition.notice]

    def _engine(self, known: Any) -> Engine:
        engine = Engine(self.rules, known)
        for rule in self.rules:
            engine._detectors[rule.name] = Told(self.bad, rule.name, self.labels.get(rule.name, "channel"))
        return engine


def _scene(now: int) -> Scene:
    campaign = CampaignScene(
        campaign_id=CAMPAIGN,
        now=now,
        watermark=now,
        # A campaign in which nothing has happened for hours would be over.
        activity={"traffic": Activity(1, now, now, now)},
        end=now + 10**9,
        recent={},
        recent_all=zeros(now // 1000 - 180, 1, 180),
        recent_refunds={},
        history=History(empty_series(0), empty_series(0)),
        stock={},
    )
    progress = [PartitionProgress("campaign.traffic", 0, 1, 1, now, now)]
    return Scene(now, PipelineScene(now, NOW - 10**6, progress, {}, 60, {}), {CAMPAIGN: campaign})
