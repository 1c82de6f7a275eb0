"""Compares a rollup with its events within the store, and brings back only what differs.

A system that is audited goes on writing. What arrived up to the latest block in the ledger is in the events and in the
rollup; what arrived later may be in the events, or in both. So a rollup is right when it lies between the two: at least
what surely arrived, at most all that is there. Where nothing is on its way the two are one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.audit.report import Check, Compared, Problem
from services.audit.rollups import Rollup, Shape, Source
from services.audit.scope import EVENT_TABLES, spans
from services.common.people import ERASED_MARK
from services.common.store import Store

_MOST_EVENTS = 2_000_000
"""So many events are aggregated at a time, about."""
_HOUR_S = 3_600
_EXAMPLES = 5
_END_OF_TIME = 1 << 32

_NAMES_ERASED = f"""
SELECT uniqExactArray(arrayFilter(name -> startsWith(name, '{ERASED_MARK}'), names)) AS names
FROM
(
    SELECT [user_id, session_id] AS names FROM traffic_events WHERE toDate(arrived_at) = {{day:Date}}
    UNION ALL
    SELECT [user_id] AS names FROM order_events WHERE toDate(arrived_at) = {{day:Date}}
)"""


@dataclass(frozen=True, slots=True)
class Sure:
    """Up to which arrival everything is in, by partition; `otherwise` for a partition without blocks."""

    heads: Mapping[int, int]
    otherwise: int


class Comparison:
    """Compares rollups with the events of one day of arrival (`YYYY-MM-DD`). Blocks; raises `StoreError`.

    `sure` says by kind of event what was in before this was made.
    """

    def __init__(self, store: Store, day: str, sure: Mapping[str, Sure], campaign: str | None) -> None:
        self._store = store
        self._day = day
        self._sure = sure
        self._campaign = campaign or ""
        self._hours: dict[str, dict[int, int]] = {}
        self._erased: int | None = None

    def of(self, rollup: Rollup) -> tuple[Compared, list[Problem]]:
        """Compares one rollup."""
        groups = differing = 0
        problems: list[Problem] = []
        for start, end in self._pieces(rollup):
            # Mostly nothing is on its way, and then both looks are one. Thrice, since events and rollup are not read
            # at one and the same moment.
            for closely in (False, True, True, True):
                found = self._look(rollup, start, end, closely=closely)
                if not found["differing"]:
                    break
            groups += found["groups"]
            differing += found["differing"]
            problems += _problems(rollup, self._day, found)
        return Compared(_name(rollup), self._day, groups, differing), problems

    def unknown_dimensions(self, table: str, known: list[str]) -> list[Problem]:
        """Rows of a rollup by minute under a dimension that it does not have."""
        rows = self._store.query(
            f"SELECT dimension, count() AS n FROM {table} WHERE day = {{day:Date}} "
            "AND dimension NOT IN {known:Array(String)} GROUP BY dimension ORDER BY dimension",
            {"day": self._day, "known": known},
        )
        return [
            Problem(
                Check.ROLLUPS,
                table,
                f"{row['n']} rows of {self._day} stand under an unknown dimension {row['dimension']!r}",
            )
            for row in rows
        ]

    def _pieces(self, rollup: Rollup) -> list[tuple[int, int]]:
        """Spans of the moment, in epoch seconds, that cover all of time."""
        if rollup.moment is None:
            return [(0, _END_OF_TIME)]
        weights: Counter[int] = Counter()
        for source in rollup.sources:
            weights.update(self._events_by_hour(source.kind))
        return spans(weights, 0, _END_OF_TIME, _MOST_EVENTS)

    def _names_erased(self) -> int:
        """How many names of erased people and of their sessions the events of the day have."""
        if self._erased is None:
            (found,) = self._store.query(_NAMES_ERASED, {"day": self._day})
            self._erased = int(found["names"])
        return self._erased

    def _events_by_hour(self, kind: str) -> dict[int, int]:
        if kind not in self._hours:
            rows = self._store.query(
                f"SELECT intDiv(toUnixTimestamp64Milli(event_time), 1000 * {_HOUR_S}) * {_HOUR_S} AS hour, "
                f"count() AS n FROM {EVENT_TABLES[kind]} WHERE toDate(arrived_at) = {{day:Date}} "
                "AND ({campaign:String} = '' OR campaign_id = {campaign:String}) GROUP BY hour",
                {"day": self._day, "campaign": self._campaign},
            )
            self._hours[kind] = {row["hour"]: row["n"] for row in rows}
        return self._hours[kind]

    def _look(self, rollup: Rollup, start: int, end: int, *, closely: bool) -> dict[str, Any]:
        """Not `closely`: whatever is not in both is told, what is on its way too."""
        parameters: dict[str, Any] = {
            "day": self._day,
            "campaign": self._campaign,
            "start": start,
            "end": end,
            "erased": self._names_erased(),
        }
        sides = [_rolled_up(rollup)]
        for source in rollup.sources:
            sides.append(_events(rollup, source, "all"))
            if closely:
                mine = self._sure[source.kind]
                # Never empty: ClickHouse refuses to look up in nothing.
                parameters[f"{source.kind}_partitions"] = [*mine.heads, 65_535]
                parameters[f"{source.kind}_heads"] = [*mine.heads.values(), mine.heads.get(65_535, mine.otherwise)]
                parameters[f"{source.kind}_otherwise"] = mine.otherwise
                sides.append(_events(rollup, source, "sure"))
        (row,) = self._store.query(_sql(rollup, " UNION ALL ".join(sides), closely=closely), parameters)
        return row


def _rolled_up(rollup: Rollup) -> str:
    measures = ", ".join(f"{_MERGED[shape].format(name=name)} AS {name}" for name, shape in rollup.measures.items())
    keys = ", ".join(rollup.keys)
    where = f"day = {{day:Date}} AND {rollup.only} AND ({{campaign:String}} = '' OR campaign_id = {{campaign:String}})"
    if rollup.moment is not None:
        moment = f"toUnixTimestamp({rollup.moment})"
        where += f" AND {moment} >= {{start:Int64}} AND {moment} < {{end:Int64}}"
    return f"SELECT {keys}, 'rollup' AS side, {measures} FROM {rollup.table} AS r WHERE {where} GROUP BY {keys}"


def _events(rollup: Rollup, source: Source, side: str) -> str:
    where = (
        "toDate(arrived_at) = {day:Date} AND ({campaign:String} = '' OR campaign_id = {campaign:String}) "
        "AND event_time >= toDateTime64({start:Int64}, 3, 'UTC') AND event_time < toDateTime64({end:Int64}, 3, 'UTC')"
    )
    if side == "sure":
        where += (
            " AND toUnixTimestamp64Milli(arrived_at) <= "
            f"transform(kafka_partition, {{{source.kind}_partitions:Array(UInt16)}}, "
            f"{{{source.kind}_heads:Array(Int64)}}, {{{source.kind}_otherwise:Int64}})"
        )
    columns = [f"{source.columns[name]} AS {name}" for name in (*rollup.keys, *rollup.measures)]
    columns.insert(len(rollup.keys), f"'{side}' AS side")
    keys = ", ".join(str(number) for number in range(1, len(rollup.keys) + 1))
    return f"SELECT {', '.join(columns)} FROM {source.rows.replace('{where}', where)} GROUP BY {keys}"


def _sql(rollup: Rollup, sides: str, *, closely: bool) -> str:
    sure = "sure" if closely else "all"
    sides_of_events = ("sure", "all") if closely else ("all",)
    merged, wrong, told = [], [], []
    for name, shape in rollup.measures.items():
        of = _OF_SIDE[shape]
        merged += [f"{of.format(name=name, side=side)} AS {name}_{side}" for side in ("rollup", *sides_of_events)]
        if shape is Shape.DISTINCT:
            # Of equal size and joined no larger: the same users, not merely as many.
            merged += [
                f"uniqCombined64MergeIf(20)({name}, side IN ('rollup', '{side}')) AS {name}_with_{side}"
                for side in sides_of_events
            ]
        wrong.append(f"if({_WRONG[shape].format(name=name, sure=sure)}, '{name}', '')")
        shown = "toString({name}_{side})"
        told.append(
            f"concat('{name} ', {shown.format(name=name, side='rollup')}, ' instead of ', "
            f"{shown.format(name=name, side='all')})"
        )
    return f"""
    SELECT
        count() AS groups,
        countIf(notEmpty(wrong)) AS differing,
        groupArrayIf({_EXAMPLES})((toString(tuple({", ".join(rollup.keys)})), wrong, told), notEmpty(wrong)) AS examples
    FROM
    (
        SELECT
            {", ".join(rollup.keys)},
            countIf(side = 'rollup') AS in_rollup,
            countIf(side = '{sure}') AS in_sure,
            countIf(side = 'all') AS in_all,
            {", ".join(merged)},
            arrayFilter(name -> name != '', [
                if(in_sure > 0 AND in_rollup = 0, 'is absent', ''),
                if(in_rollup > 0 AND in_all = 0, 'has no events', ''),
                {", ".join(wrong)}
            ]) AS wrong,
            [{", ".join(told)}] AS told
        FROM ({sides})
        GROUP BY {", ".join(rollup.keys)}
    )
    SETTINGS max_threads = 2
    """


_MERGED = {
    Shape.SUM: "sum(r.{name})",
    Shape.MIN: "min(r.{name})",
    Shape.MAX: "max(r.{name})",
    Shape.DISTINCT: "uniqCombined64MergeState(20)(r.{name})",
    Shape.LAST: "argMaxMergeState(r.{name})",
}

_OF_SIDE = {
    Shape.SUM: "sumIf({name}, side = '{side}')",
    Shape.MIN: "minIf({name}, side = '{side}')",
    Shape.MAX: "maxIf({name}, side = '{side}')",
    Shape.DISTINCT: "uniqCombined64MergeIf(20)({name}, side = '{side}')",
    Shape.LAST: "argMaxMergeIf({name}, side = '{side}')",
}

_WRONG = {
    Shape.SUM: "{name}_rollup < {name}_{sure} OR {name}_rollup > {name}_all",
    Shape.MIN: "in_rollup > 0 AND ((in_sure > 0 AND {name}_rollup > {name}_{sure}) OR {name}_rollup < {name}_all)",
    Shape.MAX: "in_rollup > 0 AND ({name}_rollup < {name}_{sure} OR {name}_rollup > {name}_all)",
    # Whoever was erased is still in the rollup, and nobody can tell who: so many may be in it beside the events.
    Shape.DISTINCT: "{name}_with_{sure} != {name}_rollup OR {name}_with_all > {name}_all + {{erased:UInt64}}",
    # What lies between two levels cannot be told from what is wrong.
    Shape.LAST: "{name}_{sure} = {name}_all AND {name}_rollup != {name}_all",
}


def _problems(rollup: Rollup, day: str, found: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for key, wrong, told in found["examples"]:
        values = [text for text in told if text.split(" ")[0] in wrong]
        states = [text for text in wrong if " " in text]
        problems.append(Problem(Check.ROLLUPS, _name(rollup), f"{day}, {key}: {', '.join([*states, *values])}"))
    rest = found["differing"] - len(problems)
    return problems + [Problem(Check.ROLLUPS, _name(rollup), f"{day}: another group differs")] * rest


def _name(rollup: Rollup) -> str:
    dimension = rollup.only.split("'")[1] if "'" in rollup.only else ""
    return f"{rollup.table}/{dimension}" if dimension else rollup.table
