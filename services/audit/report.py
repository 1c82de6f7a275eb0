"""What an audit found: problems, notes, and how much was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.common.clock import to_datetime
from services.common.tabular import time_text

EXAMPLES = 10
"""Of each check so many problems are told in full; all are counted."""


class Check(StrEnum):
    """What is proved."""

    RANGES = "ranges"
    """The ranges of a topic-partition follow each other without a gap."""
    OVERLAPS = "overlaps"
    """No two ranges of one life of the log brought the same record."""
    COUNTS = "counts"
    """In every block records = rows + refusals + duplicates."""
    ROWS = "rows"
    """The table holds exactly the rows that the block says it brought."""
    DEAD_LETTERS = "dead_letters"
    """`dead_letters` holds exactly the refusals of the block."""
    UNRECORDED = "unrecorded"
    """No row belongs to a block that the ledger does not know."""
    REPEATS = "repeats"
    """No event id counted twice within the duplicate horizon."""
    ROLLUPS = "rollups"
    """Every rollup equals the events it was made from."""
    KAFKA = "kafka"
    """The group's committed offsets agree with the ledger."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it must be. `where` names the topic-partition or table."""

    check: Check
    where: str
    detail: str


@dataclass(slots=True)
class LaneTotals:
    """What the ledger says of one topic-partition in the period."""

    topic: str
    partition: int
    blocks: int = 0
    records: int = 0
    rows: int = 0
    refusals: int = 0
    duplicates: int = 0
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One rollup of one day of arrival: how many groups were compared and how many differ."""

    table: str
    day: str
    groups: int
    differing: int


@dataclass(slots=True)
class Report:
    """The outcome of one audit of `[start, end)`, times in epoch milliseconds."""

    start: int
    end: int
    at: int
    lanes: list[LaneTotals] = field(default_factory=list)
    rollups: list[Compared] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[Check] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not self.counts

    def add(self, problems: Iterable[Problem]) -> None:
        """Counts every problem and keeps the first of each check."""
        for problem in problems:
            self.counts[problem.check] += 1
            if self.counts[problem.check] <= EXAMPLES:
                self.problems.append(problem)

    def note(self, text: str) -> None:
        """Tells what is worth knowing and not wrong; at most a hundred of them."""
        if len(self.notes) < 100 and text not in self.notes:
            self.notes.append(text)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "clean": self.clean,
            "from": _time(self.start),
            "to": _time(self.end),
            "audited_at": _time(self.at),
            "problems": {check.value: self.counts[check] for check in Check},
            "examples": [
                {"check": each.check.value, "where": each.where, "detail": each.detail} for each in self.problems
            ],
            "notes": self.notes,
            "partitions": [
                {
                    "topic": lane.topic,
                    "partition": lane.partition,
                    "blocks": lane.blocks,
                    "start": lane.start,
                    "end": lane.end,
                    "records": lane.records,
                    "rows": lane.rows,
                    "refusals": lane.refusals,
                    "duplicates": lane.duplicates,
                }
                for lane in self.lanes
            ],
            "rollups": [
                {"table": each.table, "day": each.day, "groups": each.groups, "differing": each.differing}
                for each in self.rollups
            ],
        }


def as_text(report: dict[str, Any]) -> str:
    """A report in the form of `Report.to_json`, for people."""
    lines = [f"Audit of what arrived from {report['from']} to {report['to']}", ""]
    lanes = [
        (f"{each['topic']}[{each['partition']}]", each["blocks"], each["records"], each["rows"], each["refusals"],
         each["duplicates"], f"{each['start']}-{each['end']}" if each["blocks"] else "")
        for each in report["partitions"]
    ]  # fmt: skip
    lines += _table(("partition", "blocks", "records", "rows", "refusals", "duplicates", "offsets"), lanes)
    lines.append("")
    rollups = [(each["table"], each["day"], each["groups"], each["differing"]) for each in report["rollups"]]
    lines += _table(("rollup", "day of arrival", "groups", "differing"), rollups)
    if report["notes"]:
        lines += ["", "Notes:", *(f"  {note}" for note in report["notes"])]
    total = sum(report["problems"].values())
    if not total:
        return "\n".join([*lines, "", "Clean: every check holds."])
    counts = ", ".join(f"{check} {count}" for check, count in report["problems"].items() if count)
    lines += ["", f"NOT CLEAN: {total} problem{'s' if total > 1 else ''} ({counts})"]
    lines += [f"  {each['check']}: {each['where']}: {each['detail']}" for each in report["examples"]]
    if total > len(report["examples"]):
        lines.append(f"  and {total - len(report['examples'])} more")
    return "\n".join(lines)


def _table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    cells = [header, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _time(ms: int) -> str:
    return time_text(to_datetime(ms))
