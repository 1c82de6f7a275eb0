"""Prometheus's Alertmanager, API v2: POST /api/v2/alerts, to every one of a cluster.

https://prometheus.io/docs/alerting/latest/alerts_api/ and api/v2/openapi.yaml in github.com/prometheus/alertmanager.
As Prometheus does, what is open is sent again and again with an end a few intervals ahead: an alert of which nothing
more is heard resolves by itself. The members of a cluster do not tell each other of alerts, so each is told of all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from services.alerts.alert import Alert, Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.payload import number, time
from services.alerts.delivery.sinks.base import RESOLVED, Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, by_status
from services.alerts.delivery.text import clean, fit, utf8

PATH = "/api/v2/alerts"
_INTERVALS_AHEAD = 4
"""As Prometheus has it: three that are lost do not end an alert."""
_LONGEST_LABEL = 1_024
_LONGEST_ANNOTATION = 8_192


class Alertmanager(HttpSink):
    """`urls` are the members of one cluster, without the API's path; delivered when one of them has taken it."""

    kind: ClassVar[str] = "alertmanager"
    together: ClassVar[int] = 64
    limit: ClassVar[Limit] = Limit(burst=100, per_minute=6_000)

    def __init__(self, urls: Sequence[str], *, resend_ms: int = 60_000, timeout_seconds: float = 5.0) -> None:
        super().__init__([url.rstrip("/") + PATH for url in urls], timeout_seconds=timeout_seconds)
        self._resend_ms = resend_ms

    @property
    def resend_ms(self) -> int | None:
        return self._resend_ms

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        # Of an alert that has come and gone both are told, in order: the last one of a message wins.
        last = {notice.alert.id: notice for notice in notices}
        return [self._alert(notice, context) for notice in last.values()]

    def judge(self, answer: Answer) -> Attempt:
        return by_status(answer)

    def _alert(self, notice: Transition, context: Context) -> dict[str, Any]:
        alert = notice.alert
        over = notice.notice == RESOLVED and alert.ends_at is not None
        ends_at = alert.ends_at if over else context.now + _INTERVALS_AHEAD * self._resend_ms
        assert ends_at is not None
        return {
            "labels": labels_of(alert),
            "annotations": _annotations(notice),
            "startsAt": time(alert.starts_at),
            # An end before the start would be refused.
            "endsAt": time(max(ends_at, alert.starts_at)),
            "generatorURL": context.link(f"/api/v1/alerts/{alert.id}"),
        }


def labels_of(alert: Alert) -> dict[str, str]:
    """What identifies the alert to Alertmanager and what its routes go by; the same from firing to resolved."""
    labels = {**alert.labels, "severity": alert.severity, "owner": alert.owner, "alertname": alert.rule}
    return {_name(name): value for name, text in labels.items() if (value := fit(clean(text), _LONGEST_LABEL, utf8))}


def _annotations(notice: Transition) -> Mapping[str, str]:
    alert = notice.alert
    texts = {
        **alert.annotations,
        "summary": alert.summary,
        "runbook": alert.runbook,
        "alert_id": alert.id,
        "state": alert.state.value,
        "value": number(alert.value),
        "threshold": number(alert.threshold),
        "complete_until": time(alert.complete_until),
    }
    return {_name(name): fit(clean(text), _LONGEST_ANNOTATION, utf8) for name, text in texts.items()}


def _name(name: str) -> str:
    """A label's name as Alertmanager takes it: letters, digits and underscores, no digit first."""
    legal = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return legal if re.match(r"[a-zA-Z_]", legal) else f"_{legal}"
