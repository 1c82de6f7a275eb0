"""Runs rule tests through the real engine and detectors, second by second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.alerts.alert import Alert
from services.alerts.delivery.health import Health, ReceiverState
from services.alerts.engine import Engine
from services.alerts.lifecycle import OPEN
from services.alerts.memory.stage import Answered, Stage
from services.alerts.rules.model import Rule
from services.alerts.ruletest.model import Expectation, Expected, RuleTest
from services.alerts.ruletest.people import People
from services.alerts.ruletest.series import Layout
from services.alerts.scene import PartitionProgress, PipelineScene
from services.alerts.series import Counts

_BEFORE_SECONDS = 10
"""Looks begin so long before the test: a service that has just started does not judge yet."""
_REFUSED_SECONDS = 60
_TOPIC = "campaign.orders"


@dataclass(frozen=True, slots=True)
class Failure:
    """What was expected at a moment and what there was, a line an alert."""

    test: str
    seconds: float
    rule: str
    missing: Sequence[str]
    unexpected: Sequence[str]

    def lines(self) -> Iterator[str]:
        """As a difference: `-` was expected and is not there, `+` is there and was not expected."""
        of = f" of {self.rule}" if self.rule else ""
        yield f"{self.test}: at {self.seconds:g} s the alerts{of} differ"
        yield from (f"  - {line}" for line in self.missing)
        yield from (f"  + {line}" for line in self.unexpected)


def run_test(test: RuleTest, rules: Sequence[Rule]) -> list[Failure]:
    """What differs from what is expected; nothing when the test passes."""
    expectations = sorted(test.alert_rule_test, key=lambda one: one.eval_time)
    begin, history = test.begin_ms // 1000, test.history // 1000
    layout = Layout(
        test.series,
        begin=begin,
        history=history,
        interval=test.interval // 1000,
        length=expectations[-1].eval_time // 1000 + 60,
    )
    engine = Engine(rules)
    stage = Stage([layout.past(test.campaign.id, test.campaign.plan(test.begin_ms))], engine.asks)
    pipeline = _Pipeline(layout, begin - history)
    people = People(layout.deeds(), begin - history)
    failures: list[Failure] = []
    fired: dict[str, Failure] = {}
    second = begin - min(_BEFORE_SECONDS, history)
    for expectation in expectations:
        until = begin + expectation.eval_time // 1000
        while second <= until:
            scene = pipeline.scene(second)
            asks = stage.asks(scene.now)
            known = {name: Answered(found=people.found(asked, scene.now)) for name, asked in asks.items()}
            engine.commit(engine.evaluate(stage.scene(scene, asks, known), lambda alert, now: False))
            for alert in engine.alerts.values():
                if alert.rule in test.never and alert.rule not in fired and alert.state in OPEN:
                    fired[alert.rule] = Failure(test.name, second - begin, alert.rule, [], [_told(alert)])
            second += 1
        failure = _compare(test.name, expectation, list(engine.alerts.values()))
        if failure is not None:
            failures.append(failure)
    unknown = [
        Failure(test.name, 0, rule, ["a rule of that name"], []) for rule in test.never if rule not in engine.rules
    ]
    return [*unknown, *fired.values(), *failures]


class _Pipeline:
    """The way from Kafka to the store: without a word about it all is well."""

    def __init__(self, layout: Layout, begin: int) -> None:
        self._begin = begin
        self._refused, self._consumed = layout.pipeline("refused"), layout.pipeline("consumed")
        self._lag = layout.pipeline("lag")
        self._receivers = [_Receiver(labels, attempts) for labels, attempts in layout.deliveries()]

    def scene(self, second: int) -> PipelineScene:
        now, at = second * 1000, second - self._begin
        lags = {topic: int(lag[min(at, len(lag) - 1)]) for topic, lag in self._lag.items()} or {_TOPIC: 0}
        return PipelineScene(
            now,
            self._begin * 1000,
            [PartitionProgress(topic, 0, 1, 1, now - lag * 1000, now) for topic, lag in lags.items()],
            {topic: count for topic, count in _window(self._refused, at).items() if count},
            _REFUSED_SECONDS,
            _window(self._consumed, at),
            [receiver.state(self._begin, at) for receiver in self._receivers],
        )


class _Receiver:
    """Somebody whom alerts are to reach; an attempt in each interval is taken or not."""

    def __init__(self, labels: Mapping[str, str], attempts: Sequence[tuple[int, bool]]) -> None:
        self._labels, self._attempts = labels, attempts
        self._health, self._seen = Health(), 0

    def state(self, begin: int, at: int) -> ReceiverState:
        """How it does so many seconds after the beginning."""
        while self._seen < len(self._attempts) and self._attempts[self._seen][0] <= at:
            second, taken = self._attempts[self._seen]
            failed = self._health.failed((begin + second) * 1000, "not taken")
            self._health = self._health.succeeded() if taken else failed
            self._seen += 1
        return ReceiverState(self._labels["receiver"], self._labels.get("type", "webhook"), self._health)


def _window(by_topic: dict[str, Counts], at: int) -> dict[str, int]:
    return {topic: int(counts[max(0, at - _REFUSED_SECONDS) : at].sum()) for topic, counts in by_topic.items()}


def _compare(test: str, expectation: Expectation, alerts: Sequence[Alert]) -> Failure | None:
    """The expectation met one to one; pending alerts only matter where one is expected."""
    expects_pending = any(one.state == "pending" for one in expectation.alerts)
    found = [
        alert
        for alert in alerts
        if (expectation.rule in (None, alert.rule)) and (alert.state in OPEN or expects_pending)
    ]
    missing: list[Expected] = []
    # The most that is said first, so that a loose expectation does not take what a strict one needs.
    for one in sorted(expectation.alerts, key=lambda one: -len(one.model_fields_set)):
        met = next((alert for alert in found if _meets(alert, one, expectation.rule)), None)
        if met is None:
            missing.append(one)
        else:
            found.remove(met)
    if not missing and not found:
        return None
    fields = sorted({name for one in expectation.alerts for name in one.model_fields_set} - {"rule", "state", "labels"})
    return Failure(
        test,
        expectation.eval_time / 1000,
        expectation.rule or "",
        [_line({"rule": expectation.rule, **one.model_dump(exclude_none=True)}) for one in missing],
        [_told(alert, fields) for alert in found],
    )


def _told(alert: Alert, fields: Iterable[str] = ("summary",)) -> str:
    said = _said(alert)
    return _line({name: said[name] for name in ("rule", "state", "labels", *fields)})


def _meets(alert: Alert, expected: Expected, rule: str | None) -> bool:
    said = _said(alert)
    wanted = {"rule": rule, **expected.model_dump(exclude_none=True)}
    return all(said[name] == value for name, value in wanted.items() if value is not None)


def _said(alert: Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "state": "firing" if alert.state in OPEN else alert.state.value,
        "labels": {name: value for name, value in alert.labels.items() if name != "campaign_id"},
        "severity": alert.severity,
        "summary": alert.summary,
        "summary_zh": alert.annotations.get("summary_zh", ""),
        "owner": alert.owner,
        "phase": alert.phase,
        "paged": alert.notified,
    }


def _line(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={value!r}" for name, value in fields.items() if value is not None)
