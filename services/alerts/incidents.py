"""One incident for one cause: which alerts are the effect of another one that is open.

A stock-out lowers the conversion of its item, and an outage of payment the turnover: whoever has been woken for the
cause needs no second page for its effects. The idea is that of Alertmanager's inhibition
(https://prometheus.io/docs/alerting/latest/alertmanager/#inhibition), with two delays beside it: an effect may be seen
before its cause, and may outlast it by its own window.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.alerts.alert import Alert
from services.alerts.lifecycle import OPEN

if TYPE_CHECKING:
    from services.alerts.rules.model import Rule

ANY_CAMPAIGN = "*"
"""`campaign_id` of alerts about the pipeline, which may be the cause of an alert of any campaign."""
_SEVERITIES = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Cause:
    """Alerts of the rule, or of rules with the detector, of that name, in which the labels `equal` are the same.

    A label that neither has is the same; the campaign always has to be.
    """

    rule: str
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What may cause an alert.

    `wait_ms`: for so long after it fires its page waits, so that a cause that is seen a little later comes first.
    `linger_ms`: for so long after the end of the cause it may still hold without being paged. `siblings`: several of
    the rule in one campaign have one cause that none of them names; the one that is open longest stands for the others.
    """

    causes: tuple[Cause, ...] = ()
    wait_ms: int = 0
    linger_ms: int = 0
    siblings: bool = False


_SILENCE = Cause("data_silence")
_LAG = Cause("ingest_lag")
_SOLD_OUT = Cause("stock_out", ("item_id",))

SHIPPED: Mapping[str, Effect] = {
    # Ingest that stops is behind in every topic, and catches up with one after the other.
    "ingest_lag": Effect(linger_ms=60_000, siblings=True),
    "dead_letters": Effect(),
    "data_silence": Effect((_LAG,)),
    "stock_low": Effect((_SILENCE, _SOLD_OUT)),
    "traffic_drop": Effect((_SILENCE, _LAG, _SOLD_OUT), linger_ms=60_000),
    "conversion_drop": Effect(
        # Where traffic comes back its orders follow a minute later.
        (
            _SILENCE,
            _LAG,
            _SOLD_OUT,
            *(Cause(rule, ("channel",)) for rule in ("payment_failure", "traffic_drop", "traffic_spike")),
        ),
        wait_ms=10_000,
        linger_ms=120_000,
    ),
    "pace": Effect(
        (_SILENCE, _LAG, Cause("payment_failure"), Cause("traffic_drop")), wait_ms=10_000, linger_ms=300_000
    ),
    # One account may be behind all refunds of an item: who is awake for these finds it in their evidence.
    "refund_abuse": Effect((_SILENCE, Cause("refund_anomaly")), wait_ms=10_000, linger_ms=120_000),
    "roi_floor": Effect(
        (_SILENCE, _LAG, Cause("payment_failure", ("channel",)), Cause("conversion_drop", ("channel",))),
        wait_ms=10_000,
        linger_ms=600_000,
    ),
}
"""By detector, for rules that do not say themselves what may cause them."""

OTHERS = Effect((_SILENCE,))
"""Of every other detector: while nothing arrives, nothing can be said of a campaign."""


def effect_of(detector: str, causes: tuple[Cause, ...] | None, wait_ms: int | None, window_ms: int) -> Effect:
    """What a rule with that detector says of its causes, over what ships for the detector.

    `window_ms` is the length of the time that the rule looks back on, in which the cause is still seen after its end.
    """
    shipped = SHIPPED.get(detector, OTHERS)
    return Effect(
        shipped.causes if causes is None else causes,
        shipped.wait_ms if wait_ms is None else wait_ms,
        max(shipped.linger_ms, window_ms),
        shipped.siblings and causes is None,
    )


class Circle(ValueError):
    """A rule that could come to be its own cause: each would wait for the other and none would page.

    `rules` names those of the circle, the first one again at the end.
    """

    def __init__(self, rules: tuple[str, ...]) -> None:
        super().__init__("goes in a circle: " + " <- ".join(rules))
        self.rules = rules


class Incidents:
    """Finds causes. `effects` and `detectors` are by the name of the rule. Raises `Circle`."""

    def __init__(self, effects: Mapping[str, Effect], detectors: Mapping[str, str]) -> None:
        self._effects = effects
        # A rule is named by its own name, or by that of its detector.
        self._named: dict[str, set[str]] = {}
        for rule, detector in detectors.items():
            self._named.setdefault(rule, set()).add(rule)
            self._named.setdefault(detector, set()).add(rule)
        self._refuse_circles()

    def effect(self, rule: str) -> Effect:
        """What the rule's alerts may be the effect of."""
        return self._effects.get(rule, Effect())

    def among(self, alerts: Iterable[Alert], unheard: Collection[str] = ()) -> OpenCauses:
        """The causes that are open among the alerts of one moment; `unheard` are the ids of those that are silenced."""
        by_rule: dict[str, list[Alert]] = {}
        for alert in alerts:
            if alert.state in OPEN:
                by_rule.setdefault(alert.rule, []).append(alert)
        return OpenCauses(self._effects, self._named, by_rule, unheard)

    def _refuse_circles(self) -> None:
        done: set[str] = set()

        def visit(rule: str, path: tuple[str, ...]) -> None:
            if rule in path:
                raise Circle((*path[path.index(rule) :], rule))
            if rule not in done:
                for cause in self.effect(rule).causes:
                    for name in sorted(self._named.get(cause.rule, ())):
                        visit(name, (*path, rule))
                done.add(rule)

        for rule in self._effects:
            visit(rule, ())


def incidents_of(rules: Iterable[Rule]) -> Incidents:
    """Which rules are the cause of which. Raises `Circle`."""
    rules = list(rules)
    return Incidents({rule.name: rule.effect for rule in rules}, {rule.name: rule.detector for rule in rules})


class OpenCauses:
    """The open alerts of one moment, as causes of others."""

    def __init__(
        self,
        effects: Mapping[str, Effect],
        named: Mapping[str, set[str]],
        by_rule: Mapping[str, list[Alert]],
        unheard: Collection[str] = (),
    ) -> None:
        self._unheard = unheard
        self._effects = effects
        self._named = named
        self._by_rule = by_rule
        # Of each cause, the first alert by campaign and labels: found once a moment, not once an effect.
        self._first: dict[Cause, dict[tuple[str, ...], Alert]] = {}

    def of(self, alert: Alert) -> Alert | None:
        """The alert that causes this one; of several the most severe, and then the one that has been open longest."""
        if not self._by_rule:
            return None
        effect = self._effects.get(alert.rule, Effect())
        found = [other for cause in effect.causes for other in self._matching(cause, alert)]
        if effect.siblings:
            # One that was silenced is known by itself, and speaks for nobody.
            mine = (
                one
                for one in self._by_rule.get(alert.rule, ())
                if one.campaign_id == alert.campaign_id and one.id not in self._unheard
            )
            eldest = min(mine, key=_rank, default=alert)
            found += [] if eldest.id == alert.id else [eldest]
        return min(found, key=_rank, default=None)

    def root(self, cause: Alert) -> Alert:
        """What a cause goes back to, which gives the incident its name."""
        while (before := self.of(cause)) is not None:
            cause = before
        return cause

    def _matching(self, cause: Cause, effect: Alert) -> list[Alert]:
        alerts = self._alerts_of(cause)
        values = tuple(effect.labels.get(name, "") for name in cause.equal)
        found = (alerts.get((campaign, *values)) for campaign in {effect.campaign_id, ANY_CAMPAIGN})
        return [alert for alert in found if alert is not None]

    def _alerts_of(self, cause: Cause) -> dict[tuple[str, ...], Alert]:
        known = self._first.get(cause)
        if known is None:
            known = self._first[cause] = {}
            alerts = [alert for rule in self._named.get(cause.rule, ()) for alert in self._by_rule.get(rule, ())]
            for alert in sorted(alerts, key=_rank, reverse=True):
                known[(alert.campaign_id, *(alert.labels.get(name, "") for name in cause.equal))] = alert
        return known


def outweighs(cause: Alert, effect: Alert) -> bool:
    """Whether a page for the cause stands for one of the effect, too: a warning keeps back nothing critical."""
    return _severity(cause) >= _severity(effect)


def _severity(alert: Alert) -> int:
    return _SEVERITIES.index(alert.severity)


def _rank(alert: Alert) -> tuple[int, int, str]:
    return -_severity(alert), alert.life.fired_at or 0, alert.id
