"""What a page says, before it takes the form of one receiver or another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Link:
    """Something to open next."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """One alert in one language, in plain text: a receiver escapes and cuts it as its form demands.

    `title` says what and where, `standing` how bad and in which state. `facts` are (name, value) lines in the order in
    which they matter: where, since when, how bad, complete until. `curve` is the last points drawn in block characters,
    or empty; `points` are those few that prove it.
    """

    title: str
    standing: str
    summary: str
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    curve: str = ""
    points: Sequence[tuple[str, str]] = field(default_factory=tuple)
    runbook: str = ""
    links: Sequence[Link] = field(default_factory=tuple)
