"""DingTalk (钉钉), custom group robot, signed.

https://open.dingtalk.com/document/robots/custom-robot-access and .../customize-robot-security-settings: the address
carries `timestamp` (ms, within an hour of theirs) and `sign`, HMAC-SHA256 of "timestamp\\nsecret" with the secret as
key; 20 messages a minute, beyond which a robot is muted for ten; at most 20,000 bytes; refusals come as HTTP 200 with
`errcode`: 310000 a wrong signature, keyword or address, 130101 too fast, -1 busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote_plus

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.sinks.base import Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, Request, encode
from services.alerts.delivery.sinks.robot import by_code, harmless, signature
from services.alerts.delivery.telling import called, telling
from services.alerts.delivery.text import fit, json_utf8

MESSAGE_BYTES = 20_000
_TEXT_BYTES = 16_000
_TITLE_CHARACTERS = 100
_LINE_BYTES = 4_000
_MOST_NAMES = 50
TOO_FAST = (130101, 410100)
BUSY = -1


class DingTalk(HttpSink):
    """`secret` is that of the robot's signature; None when the robot is protected by a keyword or an address list."""

    kind: ClassVar[str] = "dingtalk"
    together: ClassVar[int] = 20
    limit: ClassVar[Limit] = Limit(burst=5, per_minute=15)

    def __init__(self, url: str, secret: str | None = None, *, timeout_seconds: float = 5.0) -> None:
        super().__init__([url], [secret] if secret else [], timeout_seconds=timeout_seconds)
        self._secret = secret

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        told = telling(notices, context)
        title = fit(told.title, _TITLE_CHARACTERS, escape=harmless)
        people = called(notices, context.mentions)
        mobiles, users = list(people.mobiles)[:_MOST_NAMES], list(people.users)[:_MOST_NAMES]
        # A mention works only where the text has it too.
        names = " ".join(f"@{name}" for name in (*mobiles, *users))
        lines = [fit(line, _LINE_BYTES, json_utf8, harmless) for line in told.lines]
        links = " ".join(f"[{harmless(link.title)}]({link.url})" for link in told.links)
        body = fit("\n\n".join(lines), _TEXT_BYTES - json_utf8(names + links), json_utf8)
        parts = [f"### {title}", names, body, links]
        return {
            "msgtype": "markdown",
            "markdown": {
                "title": title,
                "text": "\n\n".join(part for part in parts if part),
            },
            "at": {"atMobiles": mobiles, "atUserIds": users, "isAtAll": people.everyone},
        }

    def requests(self, message: Message, now: int) -> Sequence[Request]:
        body = encode(message)
        (url,) = self._urls
        if self._secret is not None:
            sign = quote_plus(signature(self._secret, f"{now}\n{self._secret}"))
            url = f"{url}{'&' if '?' in url else '?'}timestamp={now}&sign={sign}"
        return [Request(url, body)]

    def judge(self, answer: Answer) -> Attempt:
        return by_code(answer, "errcode", "errmsg", busy=(*TOO_FAST, BUSY), pause_ms=60_000)
