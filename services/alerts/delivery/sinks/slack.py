"""Slack, incoming webhook with blocks.

https://api.slack.com/messaging/webhooks, .../reference/block-kit/blocks and .../docs/message-formatting: at most 50
blocks of 3,000 characters, a header of 150; one message a second, else 429 with Retry-After; `&`, `<` and `>` are
escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit
from services.alerts.delivery.sinks.base import Attempt, Context, Message
from services.alerts.delivery.sinks.http import Answer, HttpSink, by_status
from services.alerts.delivery.telling import Called, called, telling
from services.alerts.delivery.text import fit

BLOCKS = 50
SECTION_CHARACTERS = 3_000
HEADER_CHARACTERS = 150
MESSAGE_CHARACTERS = 12_000
"""Of all blocks; somewhat above 13,000 Slack refuses a message as too long, which is written nowhere."""
_LINE_CHARACTERS = 1_000
_SIGN = {"critical": ":red_circle:", "warning": ":large_yellow_circle:", "info": ":large_blue_circle:"}


class Slack(HttpSink):
    """The address is the secret."""

    kind: ClassVar[str] = "slack"
    together: ClassVar[int] = 20
    limit: ClassVar[Limit] = Limit(burst=4, per_minute=50)

    def __init__(self, url: str, *, timeout_seconds: float = 5.0) -> None:
        super().__init__([url], timeout_seconds=timeout_seconds)

    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        told = telling(notices, context)
        sign = ":white_check_mark:" if told.over else _SIGN.get(told.severity, "")
        blocks: list[dict[str, Any]] = [
            {"type": "header", "text": {"type": "plain_text", "text": fit(told.title, HEADER_CHARACTERS)}}
        ]
        if names := _names(called(notices, context.mentions)):
            blocks.append(_section(names))
        left = MESSAGE_CHARACTERS
        for line in told.lines[: BLOCKS - 3]:
            text = fit(line, min(_LINE_CHARACTERS, left), escape=escape)
            if text:
                blocks.append(_section(text))
                left -= len(text)
        blocks.append(
            _section(" ".join([sign, *(f"<{escape(link.url)}|{escape(link.title)}>" for link in told.links)]))
        )
        # What a notification shows, and a client without blocks.
        return {
            "text": fit(f"{told.title}: {told.lines[0]}", _LINE_CHARACTERS, escape=escape),
            "blocks": blocks,
        }

    def judge(self, answer: Answer) -> Attempt:
        return by_status(answer, "" if answer.status == 200 else answer.body.decode("utf-8", "replace"))


def escape(text: str) -> str:
    """Slack's three characters: without them nothing is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(text: str) -> dict[str, Any]:
    # Verbatim: names and addresses in the text are not made into mentions and links.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _names(people: Called) -> str:
    names = [f"<@{user}>" for user in people.users] + [f"<!subteam^{group}>" for group in people.groups]
    if people.everyone:
        names.append("<!channel>")
    # Whole names only: one that is cut in two calls nobody.
    while len(" ".join(names)) > SECTION_CHARACTERS:
        names.pop()
    return " ".join(names)
