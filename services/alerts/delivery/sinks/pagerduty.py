"""PagerDuty, Events API v2: trigger, acknowledge and resolve under one key.

https://developer.pagerduty.com/docs/events-api-v2/overview and .../trigger-events: a summary of at most 1,024
characters, an event of at most 512 KB, 202 for what was accepted, 429 and 5xx to be sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.payload import time
from services.alerts.delivery.sinks.base import ACKNOWLEDGED, ESCALATED, FIRING, RESOLVED, Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, by_status
from services.alerts.delivery.telling import telling
from services.alerts.delivery.text import clean, fit, json_utf8, one_line

ADDRESS = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_CHARACTERS = 1_024
EVENT_BYTES = 512_000
_ACTION = {FIRING: "trigger", ESCALATED: "trigger", ACKNOWLEDGED: "acknowledge", RESOLVED: "resolve"}
_SEVERITY = {"critical": "critical", "warning": "warning", "info": "info"}
_DETAIL_BYTES = 8_192
_LABELS = 40


class PagerDuty(HttpSink):
    """One event a notice: PagerDuty groups by itself."""

    kind: ClassVar[str] = "pagerduty"
    limit: ClassVar[Limit] = Limit(burst=20, per_minute=100)

    def __init__(self, routing_key: str, url: str = ADDRESS, *, timeout_seconds: float = 5.0) -> None:
        super().__init__([url], [routing_key], timeout_seconds=timeout_seconds)
        self._routing_key = routing_key

    @property
    def account(self) -> tuple[str, ...]:
        return (*self._urls, self._routing_key)

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        notice = notices[0]
        alert = notice.alert
        event: dict[str, Any] = {
            "routing_key": self._routing_key,
            "event_action": _ACTION[notice.notice],
            # The incident's own id and not what names the thing at fault: an end that comes late cannot close the
            # next incident of the same thing.
            "dedup_key": f"warroom/{alert.id}",
        }
        if event["event_action"] != "trigger":
            return event
        told = telling(notices, context)
        return {
            **event,
            "client": "Warroom",
            "client_url": context.link(),
            "links": [{"href": link.url, "text": fit(link.title, 100)} for link in told.links],
            "images": [{"src": link.url, "alt": fit(link.title, 100)} for link in told.links if _shows(link.url)],
            "payload": {
                "summary": fit(f"{told.title}: {told.lines[0]}", SUMMARY_CHARACTERS),
                "source": fit(one_line(alert.campaign_id), 200) or "warroom",
                "severity": _SEVERITY.get(alert.severity, "error"),
                "timestamp": time(alert.starts_at),
                "component": fit(one_line(alert.campaign_id), 200),
                "group": alert.rule,
                "class": alert.rule,
                "custom_details": self._details(notice, told.lines),
            },
        }

    def judge(self, answer: Answer) -> Attempt:
        said = answer.json()
        errors = said.get("errors")
        reason = "; ".join(map(str, errors)) if isinstance(errors, list) else str(said.get("message", ""))
        return by_status(answer, "" if answer.status == 202 else reason)

    def _details(self, notice: Transition, lines: Sequence[str]) -> dict[str, str]:
        alert = notice.alert
        labels = {one_line(name)[:100]: one_line(value) for name, value in list(alert.labels.items())[:_LABELS]}
        found = {**labels, "runbook": clean(alert.runbook), "told": "\n".join(map(clean, lines))}
        return {name: fit(text, _DETAIL_BYTES, json_utf8) for name, text in found.items()}


def _shows(url: str) -> bool:
    """Whether the address is that of a picture that PagerDuty would show: over HTTPS alone."""
    return url.startswith("https://") and url.endswith(".png")
