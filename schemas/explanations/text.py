"""The forms that explanations have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Both:
    """The same in English and in Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How to read a number, and what it is not."""

    read: Both
    beware: Both


@dataclass(frozen=True, slots=True)
class ColumnText:
    """One column of a table of its own."""

    name: str
    text: Both


@dataclass(frozen=True, slots=True)
class TableText:
    """A table that is no choice of metrics: what it answers, and its columns.

    `metrics` are the columns that mean what the catalogue says, within the row.
    """

    path: str
    title: Both
    text: Both
    columns: tuple[ColumnText, ...]
    metrics: tuple[str, ...] = ()
