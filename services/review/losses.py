"""What losses were worth: estimates, each with the formula that it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.review.period import Extent, parsed
from services.review.query import Answer
from services.review.read import BEFORE_MS

_CENT = Decimal("0.01")
_HOUR_MINUTES = BEFORE_MS // 60_000


@dataclass(frozen=True, slots=True)
class Leak:
    """Where users left the way from visit to payment: between a step and the next one.

    `worth` is what those who were lost would have paid had they gone on as those did who took the step: lost x (paid /
    took the step) x paid amount a buyer. It is the most that there was to win, as those who left wanted it less.
    `against` is the same for those only who would have taken the step at the baseline's rate: negative where the step
    was better than then. `row` is the row of the funnel that holds the step that was not taken.
    """

    row: int
    step: str
    previous: str
    lost: int
    worth: Decimal | None
    against: Decimal | None


def leaks(
    funnel: Sequence[dict[str, Any]], baseline: Sequence[dict[str, Any]], paid_gmv: Decimal, buyers: int
) -> list[Leak]:
    """One for each step but the first. `buyers` are those of the period, for what a buyer pays."""
    each = paid_gmv / buyers if buyers else None
    paid = funnel[-1]["users"] if funnel else None
    found = []
    for row in range(1, len(funnel)):
        step, before = funnel[row], funnel[row - 1]
        if step["users"] is None or before["users"] is None:
            continue
        onward = (
            Decimal(paid) / step["users"] * each if each is not None and paid is not None and step["users"] else None
        )
        lost = before["users"] - step["users"]
        then = baseline[row] if row < len(baseline) else None
        less = None
        if then is not None and then["step_conversion"] is not None and before["users"]:
            less = Decimal(str(then["step_conversion"])) * before["users"] - step["users"]
        found.append(Leak(row, step["step"], before["step"], lost, _worth(Decimal(lost), onward), _worth(less, onward)))
    return found


def _worth(users: Decimal | None, each: Decimal | None) -> Decimal | None:
    if users is None or each is None:
        return None
    return (users * each).quantize(_CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class StockOut:
    """An item that was sold out: for how long within the campaign, what it had sold before, and what that lost.

    `lost` is sold before / 60 min x time without stock: what it would have sold had demand stayed as it was.
    """

    alert: dict[str, Any]
    item: str
    starts_ms: int
    lasted_ms: int
    over: bool
    sold_before: Decimal | None
    lost: Decimal | None


def stock_outs(alerts: Sequence[dict[str, Any]], sold_before: dict[str, Answer], extent: Extent) -> list[StockOut]:
    """Those whose sell rate was asked for, the dearest first."""
    found = []
    for alert in alerts:
        if alert["rule"] != "stock_out" or alert["id"] not in sold_before:
            continue
        starts, ends = parsed(alert["starts_at"]) or 0, parsed(alert["ends_at"])
        lasted = extent.span.overlap_ms(starts, extent.span.end_ms if ends is None else ends)
        # No row: nothing of it was placed in that hour.
        rows = sold_before[alert["id"]].rows
        sold = Decimal(rows[0]["gmv"] or 0) if rows else Decimal(0)
        lost = (sold / _HOUR_MINUTES * lasted / 60_000).quantize(_CENT, rounding=ROUND_HALF_UP)
        item = str(alert["labels"].get("item_id", ""))
        found.append(StockOut(alert, item, starts, lasted, ends is not None, sold, lost))
    return sorted(found, key=lambda out: (-(out.lost or 0), out.starts_ms, out.item))
