"""How long each table keeps its rows: what may be said, and what is not safe. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

RETAINED: Mapping[str, str] = {
    "traffic_events": "toDate(arrived_at)",
    "order_events": "toDate(arrived_at)",
    "coupon_events": "toDate(arrived_at)",
    "stock_events": "toDate(arrived_at)",
    "spend_events": "toDate(arrived_at)",
    "dead_letters": "toDate(arrived_at)",
    "dead_letter_redrives": "toDate(at)",
    "ingest_blocks": "toDate(opened_at)",
    "traffic_by_minute": "day",
    "orders_by_minute": "day",
    "coupons_by_minute": "day",
    "spend_by_minute": "day",
    "stock_by_minute": "day",
    "pulse_by_second": "day",
    "funnel_by_span": "folded_on",
    "uniques_by_span": "folded_on",
    "alert_transitions": "toDate(at)",
    "alert_deliveries": "toDate(at)",
    "activity": "toDate(at)",
}
"""The day that a row's age is counted from, by table. Others hold a row a campaign, a partition or a person's word,
and keep it."""

BY_DAY = frozenset(name for name, day in RETAINED.items() if day in ("day", "toDate(arrived_at)", "toDate(opened_at)"))
"""Tables that are partitioned by that day, so that old days go as whole parts."""

_EVENTS = ("traffic_events", "order_events", "coupon_events", "stock_events", "spend_events")
_LEDGER = "ingest_blocks"
_SOURCES = {
    "traffic_by_minute": ("traffic_events",),
    "orders_by_minute": ("order_events",),
    "coupons_by_minute": ("coupon_events",),
    "spend_by_minute": ("spend_events",),
    "stock_by_minute": ("stock_events",),
    "pulse_by_second": ("traffic_events", "order_events"),
}


def refusals(days: Mapping[str, int], horizon_hours: int) -> Iterator[str]:
    """What is wrong with the days that each table is to keep, in sentences that say what to change."""
    for table, kept in days.items():
        if table not in RETAINED:
            yield (
                f"WARROOM_RETENTION_DAYS names {table!r}, which has no retention; "
                f"these tables have: {', '.join(sorted(RETAINED))}"
            )
        elif kept < 1:
            yield f"WARROOM_RETENTION_DAYS keeps {table} for {kept} days; 1 is the least, and to keep all leave it out"
        # A row goes at the end of its last day, and who looks for a repeat looks from any moment of today.
        elif table in _EVENTS and (kept - 1) * 24 < horizon_hours:
            yield (
                f"WARROOM_RETENTION_DAYS keeps {table} for {kept} days, and repeats are told by the events of "
                f"{horizon_hours} hours: keep it for {-(-horizon_hours // 24) + 1}, "
                "or lower WARROOM_DUPLICATE_HORIZON_HOURS"
            )
    for rollup, sources in _SOURCES.items():
        longest = max((days.get(source, 1 << 30) for source in sources), default=0)
        if days.get(rollup, 1 << 30) < longest:
            yield (
                f"WARROOM_RETENTION_DAYS keeps {rollup} for {days[rollup]} days, and the events behind it for longer: "
                "answers about those days would come out smaller; keep it for as long as they"
            )


def in_force(days: Mapping[str, int]) -> dict[str, int]:
    """The days of each table, the ledger's among them: it goes with the first events, since an audit takes what the
    ledger names and the tables lack for lost."""
    found = dict(days)
    shortest = min((kept for table, kept in days.items() if table in (*_EVENTS, "dead_letters")), default=None)
    if shortest is not None:
        found[_LEDGER] = min(shortest, days.get(_LEDGER, shortest))
    return found
