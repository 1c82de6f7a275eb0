"""Experiments: who saw which variant, and who paid afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.metrics import DIMENSIONS, Kind
from services.common.errors import InvalidRequest
from services.common.query.question import Question
from services.common.query.sql import EXPLODED_LINES, dimension_conditions, phase_condition
from services.common.store import EACH_SHARD, StorePool

USERS_AT_ONCE = 1_000_000
"""Exposed users of one portion: some 250 bytes of memory each."""

MOST_EXPERIMENTS = 100
"""Each takes a statement of its own, which is a quarter of the work of grouping by user and experiment at once."""


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

    Filters choose the traffic that exposes and the payments that convert. Raises `InvalidRequest` when there are more
    than `MOST_EXPERIMENTS`.
    """
    if question.end_ms <= question.start_ms or not _carried(question, Kind.TRAFFIC):
        return Experiments([], {})
    shown = await pool.query(*shown_sql(question, experiment))
    if len(shown) > MOST_EXPERIMENTS:
        raise InvalidRequest("experiment", f"there are {len(shown)} in this period; name one, or take a shorter period")
    rows: list[Mapping[str, Any]] = []
    for one in shown:
        portions = max(1, -(-int(one["users"]) // users_at_once))
        for portion in range(portions):
            rows += await pool.query(*experiment_sql(question, one["experiment"], portion, portions))
    return gathered(shown, rows, converts=_carried(question, Kind.ORDERS))


def gathered(shown: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]], *, converts: bool) -> Experiments:
    """The sum of portions that have no user in common, with every variant that was shown to anybody.

    A row counts the users who saw this `variant` alone, or several of them where it is empty.
    """
    users = {(row["experiment"], variant): 0 for row in shown for variant in row["variants"]}
    crossed = {experiment: 0 for experiment, _ in users}
    converted: dict[tuple[str, str], int] = {}
    for row in rows:
        name, variant = row["experiment"], row["variant"]
        if not variant:
            crossed[name] = crossed.get(name, 0) + int(row["users"])
            continue
        key = (name, variant)
        users[key] = users.get(key, 0) + int(row["users"])
        converted[key] = converted.get(key, 0) + int(row["converted"])
        crossed.setdefault(name, 0)
    return Experiments(
        [
            Variant(name, variant, number, converted.get((name, variant), 0) if converts else None)
            for (name, variant), number in sorted(users.items())
        ],
        crossed,
    )


def shown_sql(question: Question, experiment: str | None) -> tuple[str, dict[str, Any]]:
    """One row an experiment: its `variants`, and roughly to how many `users` they were shown."""
    parameters, exposing = _exposing(question, experiment)
    return (
        "SELECT toString(e.experiment) AS experiment, groupUniqArray(toString(e.variant)) AS variants, "
        f"uniq(user_id) AS users FROM traffic_events AS e WHERE {exposing} GROUP BY experiment",
        parameters,
    )


def experiment_sql(
    question: Question, experiment: str, portion: int = 0, portions: int = 1
) -> tuple[str, dict[str, Any]]:
    """One row a variant, and one for those who saw several: `experiment`, `variant`, `users`, `converted`."""
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
    {{experiment:String}} AS experiment,
    shown AS variant,
    count() AS users,
    countIf(paid_after) AS converted
FROM {EACH_SHARD}
(
    SELECT if(x.least = x.greatest, x.least, '') AS shown, p.paid_at >= x.exposed_at AS paid_after
    FROM
    (
        SELECT
            user_id,
            min(toString(e.variant)) AS least,
            max(toString(e.variant)) AS greatest,
            min(e.event_time) AS exposed_at
        FROM traffic_events AS e
        WHERE {exposing} AND {mine}
        GROUP BY user_id
    ) AS x
    LEFT JOIN
    (
        {paid}
    ) AS p ON p.user_id = x.user_id
)
GROUP BY variant
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
