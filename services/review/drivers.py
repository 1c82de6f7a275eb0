"""What drove the difference to the baseline, or at the end to the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from services.review.decompose import contributions
from services.review.period import Stage
from services.review.query import Query
from services.review.read import CHAIN, Readings

_TARGET_CHAINS = (("uv", "buyers", "orders_paid", "paid_gmv"), ("uv", "orders_created", "orders_paid", "gmv"))


@dataclass(frozen=True, slots=True)
class Parts:
    """A difference and what each link of the chain contributes to it; None where a ratio has no meaning."""

    before: Sequence[Decimal]
    after: Sequence[Decimal]
    parts: Sequence[Decimal] | None

    @property
    def difference(self) -> Decimal:
        """Of the chain's last value."""
        return self.after[-1] - self.before[-1]


@dataclass(frozen=True, slots=True)
class Drivers:
    """`chain` names metrics of which each stands for its ratio to the one before."""

    against: Literal["baseline", "target"]
    chain: tuple[str, ...]
    whole: Parts
    channels: dict[str, Parts]
    queries: Sequence[Query]


def drivers_of(readings: Readings) -> Drivers | None:
    """Against the baseline where there is one; else, once the campaign is over, against its targets.

    None where neither can be had: no baseline, and no target of an amount together with one of what leads to it.
    """
    overview = readings.overview
    if overview.at("baseline") is not None:
        whole = _parts(CHAIN, overview.at("baseline", "metrics"), overview.at("metrics"))
        then = readings.baseline_channels
        channels = {} if then is None else _by_channel(readings.channels.rows, then.rows)
        queries = [overview.query, *(() if then is None else (readings.channels.query, then.query))]
        return None if whole is None else Drivers("baseline", CHAIN, whole, channels, queries)
    if readings.extent.stage is not Stage.ENDED:
        return None
    goals: dict[str, Any] = overview.at("targets", "total") or {}
    for links in _TARGET_CHAINS:
        chain = tuple(name for name in links if name in goals)
        if len(chain) < 2 or chain[-1] != links[-1]:
            continue
        targets = {name: goals[name]["target"] for name in chain}
        whole = _parts(chain, targets, overview.at("metrics"))
        return None if whole is None else Drivers("target", chain, whole, {}, [overview.query])
    return None


def _by_channel(now: Sequence[dict[str, Any]], then: Sequence[dict[str, Any]]) -> dict[str, Parts]:
    """Every channel of either period; one that is missing in one of them has zeros there."""
    nothing = dict.fromkeys(CHAIN, 0)
    after = {row["channel"]: row for row in now}
    before = {row["channel"]: row for row in then}
    found = {}
    for channel in sorted(after.keys() | before.keys()):
        parts = _parts(CHAIN, before.get(channel, nothing), after.get(channel, nothing))
        if parts is not None:
            found[channel] = parts
    return found


def _parts(chain: Sequence[str], before: dict[str, Any], after: dict[str, Any]) -> Parts | None:
    """None where a value is not known at all."""
    if any(values.get(name) is None for values in (before, after) for name in chain):
        return None
    then = [Decimal(str(before[name])) for name in chain]
    now = [Decimal(str(after[name])) for name in chain]
    return Parts(then, now, contributions(then, now))
