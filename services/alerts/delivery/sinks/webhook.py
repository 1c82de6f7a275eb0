"""A webhook of one's own, in the form of Alertmanager's (version 4), one notice a message.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.payload import webhook_payload
from services.alerts.delivery.sinks.base import ESCALATED, FIRING, RESOLVED, Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, by_status


class Webhook(HttpSink):
    """Any 2xx is taken for delivered."""

    kind: ClassVar[str] = "webhook"
    takes: ClassVar[frozenset[str]] = frozenset({FIRING, RESOLVED})
    limit: ClassVar[Limit] = Limit(burst=1_000, per_minute=60_000)

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        return webhook_payload(notices[0], context.external_url)

    def judge(self, answer: Answer) -> Attempt:
        return by_status(answer)


class EscalationWebhook(Webhook):
    """The same for a receiver of escalations: who reads this form hears of an alert, and then of its end."""

    takes: ClassVar[frozenset[str]] = frozenset({ESCALATED, RESOLVED})

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        told = notices[0]
        return super().render([replace(told, notice=FIRING) if told.notice == ESCALATED else told], context)
