"""The tables whose rows name a person, and what of a row does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PersonTable:
    """`fresh` are columns that get a new name each, `emptied` are texts that may tell more than they should."""

    name: str
    meaning: str
    fresh: Sequence[str]
    emptied: Sequence[str] = field(default=())


EVENTS: Sequence[PersonTable] = (
    PersonTable("traffic_events", "what they did in the shop", ("user_id", "session_id"), ("page_location",)),
    PersonTable("order_events", "what happened to their orders", ("user_id", "device_id")),
    PersonTable("coupon_events", "what happened to their coupons", ("user_id", "device_id")),
)

ALERTS: Mapping[str, Sequence[str]] = {
    "alert_transitions": ("labels", "evidence", "summary", "details", "note"),
    "alert_silences": ("matchers", "comment"),
}
"""Tables of alerts and their texts that may hold the name of a suspect."""

SKETCHES = (
    "traffic_by_minute",
    "orders_by_minute",
    "uniques_by_span",
)
"""Sets of hashes of names, out of which counts are made: nobody can be taken out of one, nor be read from it."""

FUNNEL = "funnel_by_span"
"""Has a row for each person and span, under a hash of the name."""
