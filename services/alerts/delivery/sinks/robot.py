"""What the group robots of DingTalk, Feishu and WeCom have in common: HTTP 200 for everything, and the truth inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import replace

from services.alerts.delivery.sinks.base import Attempt
from services.alerts.delivery.sinks.http import Answer, by_status

_LOOKALIKE = str.maketrans({"@": "＠", "<": "＜", ">": "＞", "[": "［", "]": "］", "`": "ˋ", "*": "＊", "\\": "＼"})


def harmless(text: str) -> str:
    """Text in which no mention, link, image, tag or code can begin.

    These vendors' Markdown knows no escapes that hold everywhere, so the characters become their full-width twins.
    """
    return text.translate(_LOOKALIKE)


def signature(key: str, text: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def by_code(answer: Answer, code_field: str, text_field: str, *, busy: Iterable[int], pause_ms: int) -> Attempt:
    """A 2xx counts only with code 0 inside; of other codes the `busy` ones may be sent again after `pause_ms`."""
    said = answer.json()
    code = said.get(code_field)
    found = f"{code_field} {code}: {said.get(text_field, '')}"
    if code in set(busy):
        return Attempt(False, True, found, max(pause_ms, answer.retry_after()))
    if not 200 <= answer.status < 300:
        attempt = by_status(answer, "" if code is None else found)
        # Who says no more than "too many" is left alone as long as who says why.
        return replace(attempt, retry_after=attempt.retry_after or pause_ms) if answer.status == 429 else attempt
    if code == 0:
        return Attempt(True, False, f"{code_field} 0")
    if not isinstance(code, int):
        # Not the vendor: a proxy's page, say.
        return Attempt(False, True, f"HTTP {answer.status} without {code_field}")
    return Attempt(False, False, found)
