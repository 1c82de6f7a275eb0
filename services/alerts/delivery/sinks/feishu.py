"""Feishu (飞书) and Lark, custom bot v2, signed.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: the body carries `timestamp` (s, within an hour of
theirs) and `sign`, HMAC-SHA256 of nothing with "timestamp\\nsecret" as key; 100 messages a minute and 5 a second; at
most 20 KB; refusals come with `code`, often as HTTP 200: 19021 a wrong signature, 19022 a wrong network address, 19024
no keyword, 11232 (and, of the platform, 99991400) too often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.sinks.base import Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, Request, encode
from services.alerts.delivery.sinks.robot import by_code, harmless, signature
from services.alerts.delivery.telling import Called, called, telling
from services.alerts.delivery.text import fit, json_utf8

MESSAGE_BYTES = 20_000
_TEXT_BYTES = 14_000
_TITLE_CHARACTERS = 100
_MOST_NAMES = 50
TOO_OFTEN = (11232, 99991400)
OVERLOADED = 9499
_COLOUR = {"critical": "red", "warning": "orange", "info": "blue"}


class Feishu(HttpSink):
    """`secret` is that of the bot's signature; None when the bot is protected by a keyword or an address list."""

    kind: ClassVar[str] = "feishu"
    together: ClassVar[int] = 20
    # Also what any single second may have.
    limit: ClassVar[Limit] = Limit(burst=4, per_minute=60)

    def __init__(self, url: str, secret: str | None = None, *, timeout_seconds: float = 5.0) -> None:
        super().__init__([url], [secret] if secret else [], timeout_seconds=timeout_seconds)
        self._secret = secret

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        told = telling(notices, context)
        elements: list[dict[str, Any]] = []
        left = _TEXT_BYTES
        for line in told.lines:
            text = fit(line, left, json_utf8, harmless)
            # Plain text has no markup: nothing in it can be a mention.
            elements.append({"tag": "div", "text": {"tag": "plain_text", "content": text}})
            left -= json_utf8(text) + 64
            if left < 64:
                break
        if names := _names(called(notices, context.mentions)):
            elements.append({"tag": "div", "text": {"tag": "lark_md", "content": names}})
        buttons = [
            {"tag": "button", "text": {"tag": "plain_text", "content": link.title}, "type": "default", "url": link.url}
            for link in told.links
        ]
        if buttons:
            elements.append({"tag": "action", "actions": buttons})
        title = fit(told.title, _TITLE_CHARACTERS, escape=harmless)
        return {
            "msg_type": "interactive",
            "card": {
                "config": {"wide_screen_mode": True},
                "header": {
                    "title": {"tag": "plain_text", "content": title},
                    "template": "green" if told.over else _COLOUR.get(told.severity, "blue"),
                },
                "elements": elements,
            },
        }

    def requests(self, message: Message, now: int) -> Sequence[Request]:
        assert isinstance(message, Mapping)
        signed: dict[str, Any] = {}
        if self._secret is not None:
            seconds = str(now // 1000)
            signed = {"timestamp": seconds, "sign": signature(f"{seconds}\n{self._secret}", "")}
        return [Request(url, encode({**signed, **message})) for url in self._urls]

    def judge(self, answer: Answer) -> Attempt:
        attempt = by_code(answer, "code", "msg", busy=TOO_OFTEN, pause_ms=10_000)
        said = answer.json()
        # 9499 is a bad request, but for its text.
        if said.get("code") == OVERLOADED and _speaks_of_frequency(str(said.get("msg", ""))):
            return Attempt(False, True, attempt.detail, 10_000)
        return attempt


def _speaks_of_frequency(text: str) -> bool:
    return any(words in text.lower() for words in ("too many request", "frequency limit"))


def _names(people: Called) -> str:
    names = [
        f"<at email={user}></at>" if "@" in user else f"<at id={user}></at>" for user in people.users[:_MOST_NAMES]
    ]
    return " ".join([*names, *(["<at id=all></at>"] if people.everyone else [])])
