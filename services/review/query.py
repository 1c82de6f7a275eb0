"""A question to the API, its answer, and the place of a value within it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Query:
    """A GET of the API: what a figure is linked to."""

    path: str
    params: tuple[tuple[str, str], ...] = ()

    def url(self, base: str = "") -> str:
        """The address below `base`, which has no slash at its end."""
        query = urlencode(self.params, quote_via=quote, safe=",:")
        return f"{base}{quote(self.path)}{'?' if query else ''}{query}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query was answered with, as parsed from JSON."""

    query: Query
    body: Any

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a table."""
        rows: list[dict[str, Any]] = self.body["rows"]
        return rows

    def at(self, *parts: str | int) -> Any:
        """The value at a path of names and row numbers; None where a part of it is missing."""
        return value_at(self.body, parts)


def value_at(body: Any, parts: tuple[str | int, ...]) -> Any:
    """The value at a path within JSON; None where a part of it is missing or null."""
    for part in parts:
        if isinstance(body, dict):
            body = body.get(str(part))
        elif isinstance(body, list) and isinstance(part, int) and 0 <= part < len(body):
            body = body[part]
        else:
            return None
    return body


def pointer(parts: tuple[str | int, ...]) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
