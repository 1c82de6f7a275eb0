"""What a silence applies to: labels that equal a value, match an expression, or do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label's. `regex` is RE2, and has to match the whole value; a label that is absent is empty."""

    value: str
    regex: bool = False
    equal: bool = True

    def holds(self, value: str) -> bool:
        """Whether a label with that value is meant."""
        found = _matches(self.value, value) if self.regex else value == self.value
        return found == self.equal

    def check(self) -> None:
        """Raises `ValueError` when the expression is none."""
        if self.regex:
            try:
                _matches(self.value, "")
            except pa.ArrowInvalid as error:
                raise ValueError(str(error)) from None


def matcher_of(stated: Any) -> Matcher:
    """Of a plain value, or of Alertmanager's `value`, `isRegex` and `isEqual`."""
    if isinstance(stated, str):
        return Matcher(stated)
    return Matcher(stated["value"], bool(stated.get("isRegex")), bool(stated.get("isEqual", True)))


def stated(matcher: Matcher) -> str | dict[str, Any]:
    """The matcher as it is written: a plain value where it is one."""
    if not matcher.regex and matcher.equal:
        return matcher.value
    return {"value": matcher.value, "isRegex": matcher.regex, "isEqual": matcher.equal}


def all_hold(matchers: Mapping[str, Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every matcher holds for the label of its name."""
    return all(matcher.holds(labels.get(name, "")) for name, matcher in matchers.items())


@lru_cache(maxsize=10_000)
def _matches(pattern: str, value: str) -> bool:
    # Arrow's RE2 takes time that grows with the text alone: nobody's expression can hold up the rules.
    return bool(pc.match_substring_regex(pa.scalar(value), pattern=f"^(?:{pattern})$").as_py())
