"""What is said to be complete is complete, while records are still on their way."""

from __future__ import annotations

from typing import Final

from tests.festivals.system import Glimpse, System

# One count for each kind of events: what a repeat cannot change.
_COUNTS: Final = {
    "pv": ("traffic", "name IN ('page_view', 'view_item')"),
    "orders_created": ("orders", "name = 'order_created'"),
    "coupons_issued": ("coupons", "name = 'coupon_issued'"),
}


def test_the_watermark_promises_no_more_than_is_counted(system: System) -> None:
    """Catches a watermark that passes records which Kafka has and the tables have not, and records counted unsent."""
    wrong = [line for glimpse in system.glimpses for line in _problems(system, glimpse)]
    assert not wrong
    promised = [_promised(system, glimpse, kind) for glimpse in system.glimpses for kind, _ in _COUNTS.values()]
    assert any(promised), "no answer promised anything, so nothing was tested"


def _problems(system: System, glimpse: Glimpse) -> list[str]:
    wrong = []
    for metric, (kind, condition) in _COUNTS.items():
        low, high = (
            system.duck.one(
                f"SELECT count(*) AS n FROM {kind} WHERE campaign = $campaign AND ordinal < $sent AND {condition}"
                " AND happened >= date_trunc('minute', $start::TIMESTAMPTZ)",
                campaign=glimpse.campaign,
                sent=sent,
                start=system.start(glimpse.campaign),
            )["n"]
            for sent in (_promised(system, glimpse, kind), glimpse.sent)
        )
        if not low <= glimpse.metrics[metric] <= high:
            wrong.append(f"{glimpse.campaign} {metric}: {glimpse.metrics[metric]}, not from {low} to {high}")
    return wrong


def _promised(system: System, glimpse: Glimpse, kind: str) -> int:
    """How many records Kafka had by the moment up to which everything of that kind is said to be in."""
    watermark = glimpse.watermarks[kind]
    return max((sent for sent, at in system.acknowledged if watermark and at < watermark), default=0)
