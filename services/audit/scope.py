"""What an audit looks at."""

from __future__ import annotations

from dataclasses import dataclass

EVENT_TABLES = {
    "traffic": "traffic_events",
    "orders": "order_events",
    "coupons": "coupon_events",
    "inventory": "stock_events",
    "spend": "spend_events",
}
"""The table of each kind of event."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Scope:
    """A period of arrival `[start, end)` in epoch milliseconds, and what of it.

    `topics` are topic names or beginnings of names; without any every topic is audited. `campaign` narrows the rollups
    to one campaign, without `rollups` they are left out. An id may count again once more than `horizon_ms` have
    passed since it did.
    """

    start: int
    end: int
    horizon_ms: int
    topics: tuple[str, ...] = ()
    campaign: str | None = None
    rollups: bool = True

    def covers(self, topic: str) -> bool:
        """The topic is to be audited."""
        return not self.topics or any(topic.startswith(name) for name in self.topics)


def spans(weights: dict[int, int], start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Cuts `[start, end)` into spans of about `most` by the weights of hours or such, which are
    given by their start and never cut."""
    cuts = [start]
    held = 0
    for at in sorted(weights):
        if held and held + weights[at] > most and start < at < end:
            cuts.append(at)
            held = 0
        held += weights[at]
    return list(zip(cuts, [*cuts[1:], end], strict=True))
