"""WeCom (企业微信), group robot.

https://developer.work.weixin.qq.com/document/path/91770: the key in the address is the only secret; 20 messages a
minute; Markdown of at most 4,096 bytes, in which `<@userid>` calls people, and text of at most 2,048, which alone can
call mobile numbers and everybody; refusals come as HTTP 200 with `errcode`: 45009 too often, 93000 a wrong key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.sinks.base import Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink
from services.alerts.delivery.sinks.robot import by_code, harmless
from services.alerts.delivery.telling import Called, Telling, called, telling
from services.alerts.delivery.text import fit, utf8

MARKDOWN_BYTES = 4_096
TEXT_BYTES = 2_048
_TITLE_BYTES = 300
_LINE_BYTES = 1_200
_MOST_NAMES = 20
TOO_OFTEN = 45009
BUSY = -1
_COLOUR = {"critical": "warning", "warning": "warning", "info": "comment"}


class WeCom(HttpSink):
    """The address is the secret."""

    kind: ClassVar[str] = "wecom"
    together: ClassVar[int] = 20
    limit: ClassVar[Limit] = Limit(burst=5, per_minute=15)

    def __init__(self, url: str, *, timeout_seconds: float = 5.0) -> None:
        super().__init__([url], timeout_seconds=timeout_seconds)

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        told = telling(notices, context)
        people = called(notices, context.mentions)
        return _text(told, people) if people.mobiles or people.everyone else _markdown(told, people)

    def judge(self, answer: Answer) -> Attempt:
        return by_code(answer, "errcode", "errmsg", busy=(TOO_OFTEN, BUSY), pause_ms=30_000)


def _markdown(told: Telling, people: Called) -> Message:
    names = " ".join(f"<@{user}>" for user in people.users[:_MOST_NAMES])
    title = fit(told.title, _TITLE_BYTES, utf8, harmless)
    colour = "info" if told.over else _COLOUR.get(told.severity, "comment")
    first = f'### <font color="{colour}">{title}</font>'
    links = " ".join(f"[{harmless(link.title)}]({link.url})" for link in told.links)
    content = _join(first, names, told, links, MARKDOWN_BYTES, "> ")
    return {"msgtype": "markdown", "markdown": {"content": content}}


def _text(told: Telling, people: Called) -> Message:
    title = fit(told.title, _TITLE_BYTES, utf8, harmless)
    everyone = ["@all"] if people.everyone else []
    return {
        "msgtype": "text",
        "text": {
            "content": _join(title, "", told, " ".join(link.url for link in told.links[:1]), TEXT_BYTES, ""),
            "mentioned_list": [*people.users[:_MOST_NAMES], *everyone],
            "mentioned_mobile_list": list(people.mobiles[:_MOST_NAMES]),
        },
    }


def _join(first: str, names: str, told: Telling, link: str, limit: int, quote: str) -> str:
    """The title, the names and the link whole, and as much of the lines as fits between them."""
    fixed = [part for part in (first, names, link) if part]
    left = limit - sum(utf8(part) + 1 for part in fixed)
    lines = []
    for line in told.lines:
        room = min(_LINE_BYTES, left - utf8(quote) - 1)
        text = fit(line, room, utf8, harmless) if room > 0 else ""
        if text:
            lines.append(quote + text)
            left -= utf8(quote + text) + 1
    return "\n".join([*[part for part in (first, names) if part], *lines, link])
