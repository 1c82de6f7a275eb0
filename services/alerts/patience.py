"""Conditions that have to last before they fire, across a restart: pure.

A `for` of minutes must not begin anew with every deployment, as it would in memory alone. So it is written down every
few seconds since when such conditions hold, and whoever takes over goes on counting when it finds the condition bad at
its first look and the gap was short: as Prometheus restores `for`, with a tolerance of minutes instead of an hour
(https://prometheus.io/docs/prometheus/latest/command-line/prometheus/, --rules.alert.for-outage-tolerance).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.alerts.alert import Alert
from services.alerts.lifecycle import State

LONG_MS = 30_000
"""What takes less than this is quickly pending again."""
GAP_MS = 120_000
"""A condition that nobody has seen for longer begins anew."""
REFRESH_MS = 10_000


@dataclass(frozen=True, slots=True)
class Patience:
    """Since when conditions hold, by fingerprint, as seen at `seen_at`; epoch milliseconds."""

    since: Mapping[str, int] = field(default_factory=dict)
    seen_at: int = 0

    def began(self, fingerprint: str, now: int) -> int | None:
        """Since when the condition holds that is bad now; None when nothing is known of before."""
        return self.since.get(fingerprint) if now - self.seen_at <= GAP_MS else None

    def outdated(self, newer: Patience) -> bool:
        """Whether the newer one is to be written down."""
        if not newer.since:
            return bool(self.since)
        return self.since != newer.since or newer.seen_at - self.seen_at >= REFRESH_MS


def patience_of(alerts: Iterable[Alert], for_ms: Mapping[str, int], now: int) -> Patience:
    """What is pending for long enough to be worth it; `for_ms` by rule."""
    return Patience(
        {
            alert.fingerprint: alert.life.pending_at
            for alert in alerts
            if alert.state is State.PENDING and for_ms.get(alert.rule, 0) >= LONG_MS
        },
        now,
    )
