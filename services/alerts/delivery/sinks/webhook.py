"""A webhook of one's own, in the form of Alertmanager's (version 4), one notice a message.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config

With a secret each message is signed, so that who hears of it can tell it from one that somebody else made up, and from
an old one that is sent again: `Warroom-Signature: v1=` and the HMAC-SHA256 in hex, with the secret as key, of the
seconds in `Warroom-Timestamp`, a dot and the body.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.payload import webhook_payload
from services.alerts.delivery.sinks.base import ESCALATED, FIRING, RESOLVED, Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, Request, by_status, encode


def signed(secret: str, body: bytes, now: int) -> dict[str, str]:
    """The headers by which a message of this moment (epoch ms) proves where it comes from."""
    seconds = str(now // 1000)
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Warroom-Timestamp": seconds, "Warroom-Signature": f"v1={digest}"}


class Webhook(HttpSink):
    """Any 2xx is taken for delivered."""

    kind: ClassVar[str] = "webhook"
    takes: ClassVar[frozenset[str]] = frozenset({FIRING, RESOLVED})
    limit: ClassVar[Limit] = Limit(burst=1_000, per_minute=60_000)

    def __init__(self, urls: Sequence[str], secret: str | None = None, *, timeout_seconds: float = 5.0) -> None:
        super().__init__(urls, [secret] if secret else [], timeout_seconds=timeout_seconds)
        self._secret = secret

    def requests(self, message: Message, now: int) -> Sequence[Request]:
        body = encode(message)
        headers = {} if self._secret is None else signed(self._secret, body, now)
        return [Request(url, body, headers) for url in self._urls]

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
