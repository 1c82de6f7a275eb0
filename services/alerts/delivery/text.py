"""Text from outside, made fit to be sent: labels and summaries may hold anything that an event may hold."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

Size = Callable[[str], int]
Escape = Callable[[str], str]

_MORE = "…"
# Control characters but for the line break, and marks that turn the direction of what follows, by which a label could
# rewrite the line that it stands in.
_UNWANTED = dict.fromkeys(
    [*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F),
     *range(0x2066, 0x206A)]
)  # fmt: skip


def clean(text: str) -> str:
    """Without control characters (line breaks stay), marks of direction and halves of surrogate pairs."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\t", " ").translate(_UNWANTED)


def one_line(text: str) -> str:
    """`clean`, with every run of white space as one space."""
    return " ".join(clean(text).split())


def utf8(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text.encode())


def json_utf8(text: str) -> int:
    """Bytes inside a JSON string in UTF-8, where quotes, backslashes and line breaks take two."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def plain(text: str) -> str:
    """No escaping."""
    return text


def fit(text: str, limit: int, size: Size = len, escape: Escape = plain) -> str:
    """The escaped text, cut at a character so that its size is at most `limit`; then it ends in an ellipsis.

    `size` must not shrink when text is added. Neither a character nor an escape is ever cut in two.
    """
    # No character is smaller than one.
    text, long = text[: max(0, limit) + 1], len(text) > limit + 1
    whole = escape(text)
    if not long and size(whole) <= limit:
        return whole
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size(escape(text[:middle]) + _MORE) <= limit:
            low = middle
        else:
            high = middle - 1
    short = escape(text[: _boundary(text, low)]) + _MORE
    return short if size(short) <= limit else ""


def _boundary(text: str, end: int) -> int:
    """At or before `end`, not between a character and what belongs to it (an accent, an emoji's skin or joiner)."""
    while 0 < end < len(text) and (
        unicodedata.combining(text[end]) or text[end] in "\u200d\ufe0f" or text[end - 1] == "\u200d"
        or "\U0001f3fb" <= text[end] <= "\U0001f3ff"
    ):  # fmt: skip
        end -= 1
    return end
