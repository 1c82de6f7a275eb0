"""`payment_failure`: of the payments that are tried, a larger share fails than usually does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from pydantic import Field

from schemas.metrics import Value
from services.alerts.alert import Impact
from services.alerts.detectors.base import CampaignDetector, Parameters, Verdict, Verdicts
from services.alerts.lifecycle import Sighting
from services.alerts.plan import Plan
from services.alerts.readings.asks import Ask
from services.alerts.readings.inquiry import Inquiry
from services.alerts.readings.seconds import SECONDS, Payments, Seconds
from services.alerts.scene import CampaignScene
from services.alerts.selection import Selection
from services.alerts.statistics import log_binomial_lower_tail, log_binomial_upper_tail
from services.common.clock import MINUTE_MS
from services.common.errors import ConfigurationError

METRIC = "payments_failed"

_METRICS = (METRIC, "orders_paid", "paid_gmv")
_HISTORY_MS = 60 * MINUTE_MS
_GUARD_MS = 5 * MINUTE_MS
"""The last minutes belong to no history: an outage must not become what it is held against."""
_WINDOWS = (10, 20, 40, SECONDS)
_NOTABLE = 1.5
_NOTHING = 1e-3
"""Payments that fail so often are no reason to go on with an alert."""


class PaymentFailureParameters(Parameters):
    """Payments of the last 10, 20, 40 and 120 seconds are held against those of the hour before."""

    min_failed: int = Field(5, ge=2, description="failed payments in a window below which nothing is an outage")
    min_share: float = Field(0.1, ge=0, lt=1, description="share of failed payments that is nothing to wake one for")
    ratio: float = Field(2.0, gt=1, description="times the usual share at the least")
    max_chance: float = Field(1e-5, gt=0, lt=1, description="probability over all groups together when all is normal")
    resolve_chance: float = Field(1e-3, gt=0, lt=1, description="probability of the last payments if it still went on")
    prior_attempts: int = Field(50, ge=1, description="weight of the campaign's share in a group's own, in payments")
    min_history: int = Field(50, ge=1, description="payments that the campaign must have had before")
    max_normal_share: float = Field(0.3, gt=0, lt=1, description="a larger share is never taken for normal")


@dataclass(frozen=True, slots=True)
class _Tried:
    """Payments over some time."""

    failed: int
    tried: int

    @property
    def share(self) -> float:
        return self.failed / self.tried if self.tried else 0.0


@dataclass(frozen=True, slots=True)
class _Window:
    """The last `seconds` of a group, and how improbable they are if payments fail as usual."""

    seconds: int
    seen: _Tried
    tail: float


class PaymentFailure(CampaignDetector[PaymentFailureParameters]):
    """An exact binomial test of each group (a channel, say), given how many payments were tried in it: more of them
    do not fire it. Bonferroni's correction over groups and windows."""

    parameters_type = PaymentFailureParameters
    takes_metric = True
    facts = frozenset({"failed", "tried", "percent", "expected_percent", "window_seconds"})

    def __init__(self, parameters: PaymentFailureParameters, selection: Selection | None = None) -> None:
        super().__init__(parameters, selection)
        assert selection is not None
        if selection.metric != METRIC:
            raise ConfigurationError(f"metric: the detector 'payment_failure' takes {METRIC!r} and no other")
        self._by = selection.by
        self._seconds = Seconds(selection.by, selection.filters)
        self._hour = Ask(_METRICS, _HISTORY_MS, selection.by, selection.filters)
        self._guard = Ask(_METRICS, _GUARD_MS, selection.by, selection.filters)

    def asks(self, now: int, plan: Plan | None) -> Iterable[Inquiry]:
        return (self._hour, self._guard, self._seconds)

    def judge(self, scene: CampaignScene) -> Verdicts:
        hour, guard = scene.readings.get(self._hour), scene.readings.get(self._guard)
        recent = scene.seconds.get(self._seconds)
        if scene.writing_history or hour is None or guard is None or recent is None:
            return None
        usual = {value: _before(row, guard.rows.get(value, {})) for value, row in hour.rows.items()}
        whole = _Tried(sum(own.failed for own in usual.values()), sum(own.tried for own in usual.values()))
        if whole.tried < self.parameters.min_history:
            return None
        verdicts = []
        for value, payments in recent.rows.items():
            expected = self._expected(usual.get(value, _Tried(0, 0)), whole)
            verdict = self._verdict(value, payments, expected, len(recent.rows), recent.start, hour.rows.get(value, {}))
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def _expected(self, own: _Tried, whole: _Tried) -> float:
        p = self.parameters
        # One failure more than there was: of a share of nothing any failure would be infinitely improbable.
        prior = (whole.failed + 1) / (whole.tried + 1)
        share = (own.failed + prior * p.prior_attempts) / (own.tried + p.prior_attempts)
        return min(share, p.max_normal_share)

    def _verdict(
        self, value: str, payments: Payments, expected: float, groups: int, start: int, hour: Mapping[str, Value]
    ) -> Verdict | None:
        p = self.parameters
        failed, paid = payments.failed.tolist(), payments.paid.tolist()
        if sum(failed) < 2:
            return None
        bound = max(p.min_share, p.ratio * expected)
        limit = math.log(p.max_chance) - math.log(len(_WINDOWS) * groups)
        windows = [_window(seconds, failed, paid, expected) for seconds in _WINDOWS]
        proofs = [w for w in windows if w.seen.failed >= p.min_failed and w.seen.share >= bound and w.tail < limit]
        best = min(proofs or windows, key=lambda window: window.tail)
        if not proofs and best.tail >= math.log(_NOTHING):
            return None
        # A window still holds an outage when it is over: what came after its worst part tells sooner.
        first, last = _worst(payments, expected, best.seen.share)
        if _over(_seen(payments, first, last), _seen(payments, last, len(failed)), p.resolve_chance):
            return None
        loss = _impact(best, expected, hour)
        end = start + len(payments.failed)
        return Verdict(
            Sighting.BREACH if proofs else Sighting.HOLDS,
            value=best.seen.share,
            threshold=bound,
            labels={} if self._by is None else {self._by: value},
            onset=1000 * (start + first),
            facts={
                "failed": best.seen.failed,
                "tried": best.seen.tried,
                "percent": round(100 * best.seen.share),
                "expected_percent": round(100 * expected, 1),
                "window_seconds": best.seconds,
            },
            evidence={
                "unit": "of payments",
                "from": end - best.seconds,
                "to": end,
                "failed": best.seen.failed,
                "tried": best.seen.tried,
                "reference": round(expected, 4),
                "log10_chance": round(best.tail / math.log(10), 1),
                "groups": groups,
                "windows_seconds": list(_WINDOWS),
                "points": _points(payments, start),
            },
            impact=loss,
        )


def _window(seconds: int, failed: list[int], paid: list[int], expected: float) -> _Window:
    seen = _Tried(sum(failed[-seconds:]), sum(failed[-seconds:]) + sum(paid[-seconds:]))
    # Most groups fail as usual at most moments: how improbable that is need not be known.
    unusual = seen.failed > 1 and seen.share > _NOTABLE * expected
    return _Window(seconds, seen, log_binomial_upper_tail(seen.failed, seen.tried, expected) if unusual else 0.0)


def _before(hour: Mapping[str, Value], guard: Mapping[str, Value]) -> _Tried:
    def of(name: str) -> int:
        return max(0, int(hour.get(name) or 0) - int(guard.get(name) or 0))

    failed = of(METRIC)
    return _Tried(failed, failed + of("orders_paid"))


def _worst(payments: Payments, usual: float, outage: float) -> tuple[int, int]:
    """The seconds [first, last) that an outage explains best, against the usual share: the largest sum of
    log-likelihood ratios, by Kadane's algorithm."""
    if not 0 < usual < outage:
        return 0, len(payments.failed)
    outage = min(outage, 0.999)
    gains = payments.failed * math.log(outage / usual) + payments.paid * math.log((1 - outage) / (1 - usual))
    best, worst, running, since = 0.0, (0, len(gains)), 0.0, 0
    for index, gain in enumerate(gains.tolist()):
        if running <= 0:
            running, since = 0.0, index
        running += gain
        if running > best:
            best, worst = running, (since, index + 1)
    return worst


def _seen(payments: Payments, first: int, last: int) -> _Tried:
    failed = int(payments.failed[first:last].sum())
    return _Tried(failed, failed + int(payments.paid[first:last].sum()))


def _over(outage: _Tried, after: _Tried, chance: float) -> bool:
    """Whether what came after it is too good to be the outage still."""
    share = min(outage.share, 0.99)
    return after.tried > 0 and log_binomial_lower_tail(after.failed, after.tried, share) < math.log(chance)


def _points(payments: Payments, start: int, step: int = 10) -> list[list[float]]:
    """[second, share that failed] of every ten seconds in which payments were tried."""
    failed = payments.failed.reshape(-1, step).sum(axis=1)
    tried = failed + payments.paid.reshape(-1, step).sum(axis=1)
    return [[start + step * int(i), round(float(failed[i] / tried[i]), 3)] for i in np.flatnonzero(tried)]


def _impact(window: _Window, expected: float, hour: Mapping[str, Value]) -> Impact | None:
    """Payments that failed beyond the usual, each worth an average order of the hour."""
    orders, money = hour.get("orders_paid"), hour.get("paid_gmv")
    if not orders or not money:
        return None
    lost = max(0.0, window.seen.failed - expected * window.seen.tried) * 60 / window.seconds
    loss = Decimal(str(round(lost, 4))) * Decimal(money) / Decimal(orders)
    return Impact(
        loss.quantize(Decimal("0.01")),
        "payments that failed beyond the usual share x average order",
        "超出平常比例的支付失败 × 客单价",
    )
