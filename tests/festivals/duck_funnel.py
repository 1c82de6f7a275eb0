"""The contract's funnel in DuckDB's SQL: each step takes a user's earliest event at or after the step before."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from tests.festivals.duck_events import Duck
from tests.festivals.duck_metrics import Filters, condition, lacking, source

STEPS: Final = ("visit", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid")


def kind_of(step: str) -> str:
    """The kind of events that makes a step."""
    return "orders" if step.startswith("order_") else "traffic"


def funnel(
    duck: Duck, campaign: str, start: datetime, end: datetime, filters: Filters | None = None, by: str | None = None
) -> dict[str | None, list[dict[str, Any]]]:
    """Rows of the steps by value of the dimension; None where the events of a step lack a dimension."""
    filters = filters or {}
    dimensions = {*filters, *([by] if by else [])}
    # A step whose events cannot carry the dimension is not known, nor is what comes after it.
    reached = [step for step in STEPS if not lacking(kind_of(step), dimensions)]
    if "visit" not in reached:
        return {None: [_row(step, None, None, None, None) for step in STEPS]} if by is None else {}
    parts = []
    for number, step in enumerate(reached):
        named = "true" if step == "visit" else f"name = '{step}'"
        parts.append(
            f"events_{number} AS (SELECT {by or 'NULL'} AS slice, user_id, happened"
            f" FROM {source(kind_of(step), dimensions)} WHERE campaign = $campaign"
            " AND happened >= date_trunc('minute', $start::TIMESTAMPTZ)"
            " AND happened < date_trunc('minute', $end::TIMESTAMPTZ)"
            f" AND {condition(filters)} AND {named})"
        )
        if number == 0:
            parts.append(
                "step_0 AS (SELECT slice, user_id, min(happened) AS happened, NULL::TIMESTAMPTZ AS since"
                " FROM events_0 GROUP BY ALL)"
            )
            continue
        parts.append(
            f"step_{number} AS (SELECT one.slice, one.user_id, min(next.happened) AS happened, one.happened AS since"
            f" FROM step_{number - 1} AS one JOIN events_{number} AS next"
            " ON next.user_id = one.user_id AND next.slice IS NOT DISTINCT FROM one.slice"
            " AND next.happened >= one.happened GROUP BY one.slice, one.user_id, one.happened)"
        )
    counted = " UNION ALL ".join(
        f"SELECT slice, {number} AS step, count(*) AS users,"
        " median(epoch_ms(happened) - epoch_ms(since)) / 1000 AS seconds"
        f" FROM step_{number} GROUP BY slice"
        for number in range(len(reached))
    )
    rows = duck.query(f"WITH {', '.join(parts)} {counted}", campaign=campaign, start=start, end=end)
    found = {(row["slice"], row["step"]): row for row in rows}
    slices = {slice_ for slice_, _ in found} or ({None} if by is None else set())
    return {slice_: _steps(slice_, found, len(reached)) for slice_ in slices}


def _steps(slice_: str | None, found: dict[tuple[str | None, int], dict[str, Any]], known: int) -> list[dict[str, Any]]:
    rows = []
    users = [
        found.get((slice_, number), {}).get("users", 0) if number < known else None for number in range(len(STEPS))
    ]
    for number, step in enumerate(STEPS):
        seconds = found.get((slice_, number), {}).get("seconds")
        rows.append(_row(step, users[number], users[number - 1] if number else None, users[0], seconds))
    return rows


def _row(step: str, users: int | None, before: int | None, first: int | None, seconds: Any) -> dict[str, Any]:
    return {
        "step": step,
        "users": users,
        "step_conversion": users / before if users is not None and before else None,
        "overall_conversion": users / first if users is not None and first else None,
        "lost": before - users if users is not None and before is not None else None,
        "median_seconds": seconds,
    }
