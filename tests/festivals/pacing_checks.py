"""Targets and budgets against the clock, held against DuckDB: what was reached, what was to be expected by now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from services.common.clock import to_datetime
from tests.festivals import duck_metrics as metrics
from tests.festivals.checks import floor, keyed
from tests.festivals.compare import same
from tests.festivals.system import System, instant

_COUNTS: Final = {
    "pv", "orders_created", "orders_paid", "orders_cancelled", "orders_refunded", "payments_failed", "coupons_issued",
    "coupons_claimed", "coupons_redeemed", "impressions", "clicks",
}  # fmt: skip
_SUMS: Final = metrics.MONEY | _COUNTS
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Goal:
    """One declared target or budget, over whole minutes."""

    metric: str
    scope: str
    phase: str | None
    channel: str | None
    start: datetime
    end: datetime
    target: Decimal


def goals(body: Mapping[str, Any]) -> Iterator[Goal]:
    """Everything that a campaign declares to be reached or not to be exceeded."""
    start, end = floor(instant(body["start"])), floor(instant(body["end"]))
    targets = body.get("targets", {})
    for metric, target in targets.get("total", {}).items():
        yield Goal(metric, "campaign", None, None, start, end, Decimal(str(target)))
    phases = {phase["name"]: phase for phase in body.get("phases", ())}
    for name, part in targets.get("phases", {}).items():
        first, last = floor(instant(phases[name]["start"])), floor(instant(phases[name]["end"]))
        for metric, target in part.items():
            yield Goal(metric, "phase", name, None, first, last, Decimal(str(target)))
    for channel, budget in body.get("budgets", {}).items():
        yield Goal("ad_cost", "budget", None, channel, start, end, Decimal(str(budget)))


def pacing_problems(system: System, campaign: str) -> list[str]:
    """Each row of the answer, but for the projection, of which only the bounds are certain."""
    answer = system.get("/pacing", campaign=campaign, limit=1000)
    rows = keyed(answer["rows"], "metric", "scope", "phase", "channel")
    declared = {
        (goal.metric, goal.scope, goal.phase, goal.channel): goal for goal in goals(system.festivals[campaign].body)
    }
    wrong = [f"{key}: in one only" for key in rows.keys() ^ declared.keys()]
    for key, goal in declared.items():
        if key in rows:
            row = rows[key]
            wrong += [
                f"{key} {name}: answered {row[name]}, expected {value}"
                for name, value in _expected(system, campaign, goal).items()
                if not _fits(goal.metric, name, row[name], value)
            ]
            wrong += [f"{key}: {line}" for line in _projection_problems(goal, row)]
            if goal.scope == "budget":
                wrong += [f"{key}: {line}" for line in _exhaustion_problems(system, campaign, goal, row)]
    return [f"{campaign} {line}" for line in wrong]


def _expected(system: System, campaign: str, goal: Goal) -> dict[str, Any]:
    now = floor(system.now(campaign))
    until = min(max(now, goal.start), goal.end)
    state = "ended" if now >= goal.end else "upcoming" if now < goal.start else "current"
    value = _value(system, campaign, goal, goal.start, until)
    found: dict[str, Any] = {
        "from": goal.start,
        "to": goal.end,
        "complete_until": until,
        "state": state,
        "target": goal.target,
        "value": value,
        "attained": Decimal(str(value)) / goal.target if value is not None and goal.target else None,
    }
    if goal.metric in _SUMS:
        share, source = _share(system, campaign, goal, until)
        expected = goal.target * share
        found |= {"expected": expected, "expected_from": source, "ahead": Decimal(str(value)) - expected}
        missing = max(Decimal(0), goal.target - Decimal(str(value)))
        left = Decimal((goal.end - until) / _MINUTE)
        found["needed_per_minute"] = None if state == "ended" else float(missing / left)
        soon = until + _MINUTE
        found["expected_per_minute"] = (
            None if state == "ended" else float(goal.target * (_share(system, campaign, goal, soon)[0] - share))
        )
    return found


def _value(system: System, campaign: str, goal: Goal, start: datetime, end: datetime) -> Any:
    filters: metrics.Filters = {"channel": goal.channel} if goal.channel else {}
    return metrics.overview(system.duck, campaign, start, end, filters)[goal.metric]


def _share(system: System, campaign: str, goal: Goal, until: datetime) -> tuple[Decimal, str]:
    """The part that is to be expected by now: the baseline's at the same distance from its start, else the time's."""
    other = system.festivals[campaign].body.get("baseline_campaign_id")
    if other is not None:
        shift = floor(system.start(campaign)) - floor(system.start(other))
        whole = _value(system, other, goal, goal.start - shift, goal.end - shift)
        if whole:
            part = _value(system, other, goal, goal.start - shift, until - shift)
            return Decimal(str(part)) / Decimal(str(whole)), "baseline"
    return Decimal((until - goal.start) / (goal.end - goal.start)), "linear"


def _projection_problems(goal: Goal, row: Mapping[str, Any]) -> list[str]:
    low, middle, high = (row[name] for name in ("projected_low", "projected", "projected_high"))
    if row["state"] == "ended":
        return [] if middle == row["value"] else ["projects what is over"]
    if None in (low, middle, high):
        return []
    return [] if Decimal(str(low)) <= Decimal(str(middle)) <= Decimal(str(high)) else ["projected outside of its range"]


def _exhaustion_problems(system: System, campaign: str, goal: Goal, row: Mapping[str, Any]) -> list[str]:
    """A budget is used up when what was spent reaches it, or will be at the rate that the row itself tells."""
    said = None if row["exhausted_at"] is None else instant(row["exhausted_at"])
    found = system.duck.one(
        """
        SELECT epoch_ms(min(happened)) AS at_ms FROM (
            SELECT happened, sum(amount) OVER (ORDER BY happened, event_id) AS spent FROM spend
            WHERE campaign = $campaign AND channel = $channel AND happened >= $start::TIMESTAMPTZ
        ) WHERE spent >= $budget::DECIMAL(18, 2)
        """,
        campaign=campaign,
        channel=goal.channel,
        start=goal.start,
        budget=str(goal.target),
    )
    until = instant(row["complete_until"])
    if found["at_ms"] is not None and to_datetime(found["at_ms"]) < until:
        crossed = to_datetime(found["at_ms"])
        # It is told to the bucket in which it happened.
        fine = said is not None and crossed - timedelta(hours=1) <= said <= min(crossed + timedelta(hours=1), goal.end)
        return [] if fine else [f"used up at {crossed}, says {said}"]
    rate = row["rate_per_minute"] or 0
    foreseen = until + timedelta(minutes=float(goal.target - Decimal(row["value"])) / rate) if rate else None
    if foreseen is None or foreseen >= goal.end or row["state"] == "ended":
        return [] if said is None else [f"says {said}, foreseen {foreseen}"]
    fine = said is not None and abs(said - foreseen) <= timedelta(seconds=1)
    return [] if fine else [f"says {said}, foreseen {foreseen}"]


def _fits(metric: str, name: str, said: Any, expected: Any) -> bool:
    if name in ("target", "expected", "ahead") and expected is not None:
        # Money is said to the cent.
        off = Decimal("0.00501") if metric in metrics.MONEY else Decimal("1e-6")
        return said is not None and abs(Decimal(str(said)) - expected) <= off
    return same(metric if name == "value" else name, said, expected, off=1e-7)
