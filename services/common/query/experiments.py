"""Experiments: who saw which variant, and who paid afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.metrics import DIMENSIONS, Kind
from services.common.query.question import Question
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition
from services.common.store import StorePool

USERS_AT_ONCE = 1_000_000
"""Exposed users of one portion: some 200 bytes of memory each."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The users that saw this variant of the experiment and no other of it.

    `converted` of them paid at or after they first saw it; None where a filter names a dimension that orders lack.
    """

    experiment: str
    variant: str
    users: int
    converted: int | None


@dataclass(frozen=True, slots=True)
class Experiments:
    """`variants` in the order of their names; by experiment the number of users who saw more than one variant."""

    variants: list[Variant]
    crossed: Mapping[str, int]


async def experiments(
    pool: StorePool, question: Question, experiment: str | None = None, users_at_once: int = USERS_AT_ONCE
) -> Experiments:
    """Every experiment that traffic of the period names together with a variant, or the one. Counts are exact.

    Filters choose the traffic that exposes and the payments that convert.
    """
    if question.end_ms <= question.start_ms or not _carried(question, Kind.TRAFFIC):
        return Experiments([], {})
    size = int((await pool.query(*size_sql(question, experiment)))[0]["users"])
    portions = max(1, -(-size // users_at_once))
    rows: list[Mapping[str, Any]] = []
    for portion in range(portions):
        rows += await pool.query(*experiments_sql(question, experiment, portion, portions))
    return gathered(rows, converts=_carried(question, Kind.ORDERS))


def gathered(rows: Iterable[Mapping[str, Any]], *, converts: bool) -> Experiments:
    """The sum of portions that have no user in common.

    A row counts the users who saw exactly `variants` of `experiment`. Variants of which every user crossed stay.
    """
    users: dict[tuple[str, str], int] = {}
    converted: dict[tuple[str, str], int] = {}
    crossed: dict[str, int] = {}
    for row in rows:
        name, variants = row["experiment"], row["variants"]
        crossed.setdefault(name, 0)
        for variant in variants:
            users.setdefault((name, variant), 0)
        if len(variants) > 1:
            crossed[name] += int(row["users"])
        else:
            key = (name, variants[0])
            users[key] += int(row["users"])
            converted[key] = converted.get(key, 0) + int(row["converted"])
    return Experiments(
        [
            Variant(name, variant, number, converted.get((name, variant), 0) if converts else None)
            for (name, variant), number in sorted(users.items())
        ],
        crossed,
    )


def size_sql(question: Question, experiment: str | None) -> tuple[str, dict[str, Any]]:
    """Column `users`: roughly how many users were exposed."""
    parameters, exposing = _exposing(question, experiment)
    return f"SELECT uniq(user_id) AS users FROM traffic_events AS e WHERE {exposing}", parameters


def experiments_sql(
    question: Question, experiment: str | None, portion: int = 0, portions: int = 1
) -> tuple[str, dict[str, Any]]:
    """One row for each set of variants that some user saw: `experiment`, `variants`, `users`, `converted`."""
    parameters, exposing = _exposing(question, experiment)
    parameters |= {"portion": portion, "portions": portions}
    mine = "cityHash64(user_id) % {portions:UInt32} = {portion:UInt32}"
    if _carried(question, Kind.ORDERS):
        lines = EXPLODED_LINES if question.dimensions & {"item_id", "item_category"} else ""
        converting = f"{_conditions(question, parameters)} AND e.event_name = 'order_paid'"
        paid = (
            f"SELECT user_id, max(e.event_time) AS paid_at FROM order_events AS e{lines}\n"
            f"    WHERE {converting} AND {mine}\n    GROUP BY user_id"
        )
    else:
        paid = "SELECT '' AS user_id, toDateTime64(0, 3, 'UTC') AS paid_at WHERE 0"
    # Without a payment `paid_at` is 1970.
    sql = f"""
SELECT
    x.experiment AS experiment,
    x.variants AS variants,
    count() AS users,
    countIf(p.paid_at >= x.exposed_at) AS converted
FROM
(
    SELECT
        toString(e.experiment) AS experiment,
        user_id,
        arraySort(groupUniqArray(toString(e.variant))) AS variants,
        min(e.event_time) AS exposed_at
    FROM traffic_events AS e
    WHERE {exposing} AND {mine}
    GROUP BY experiment, user_id
) AS x
LEFT JOIN
(
    {paid}
) AS p ON p.user_id = x.user_id
GROUP BY experiment, variants
SETTINGS join_use_nulls = 0"""
    return sql, parameters


def _carried(question: Question, kind: Kind) -> bool:
    return all(kind in DIMENSIONS[name] for name in question.dimensions)


def _exposing(question: Question, experiment: str | None) -> tuple[dict[str, Any], str]:
    parameters: dict[str, Any] = {
        "campaign_id": question.campaign_id,
        "start": question.start_ms // 1000,
        "end": question.end_ms // 1000,
    }
    where = f"{_conditions(question, parameters)} AND e.experiment != '' AND e.variant != ''"
    if experiment is not None:
        parameters["experiment"] = experiment
        where += " AND e.experiment = {experiment:String}"
    return parameters, where


def _conditions(question: Question, parameters: dict[str, Any]) -> str:
    return " AND ".join(
        [
            "e.campaign_id = {campaign_id:String}",
            "e.event_time >= toDateTime({start:UInt32}, 'UTC')",
            "e.event_time < toDateTime({end:UInt32}, 'UTC')",
            *dimension_conditions(question, parameters),
            *phase_condition(question, parameters, "e.event_time"),
        ]
    )
