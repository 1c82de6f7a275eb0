"""What is wrong with a rules file, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """`line` and `column` count from 1; `rule` and `field` are empty where it concerns none."""

    source: str
    line: int
    column: int
    message: str
    rule: str = ""
    field: str = ""

    def __str__(self) -> str:
        """`file:line:column: rule 'x': field: message`, which editors and CI systems know how to follow."""
        parts = [f"{self.source}:{self.line}:{self.column}", *([f"rule {self.rule!r}"] if self.rule else [])]
        return ": ".join([*parts, *([self.field] if self.field else []), self.message])
