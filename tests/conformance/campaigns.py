"""The campaigns of the conformance tests: what is PUT, and what was never PUT."""

from __future__ import annotations

from typing import Any, Final

FESTIVAL: Final = "double-11.2025"
"""A day and a half in Shanghai over two midnights, phases with a gap between them and events around them."""

DST: Final = "Fall_back.NYC"
"""Two days in New York, one of them of 25 hours."""

NEVER_PUT: Final = "never-put"
"""Known by its events only."""

MILLENNIUM: Final = "y2k"
"""Never PUT either; its first event is the earliest that the contract allows."""

LIVE: Final = "live-now"
"""Never PUT; its events lie around the present moment, some of them ahead of it."""

PUTS: Final[dict[str, dict[str, Any]]] = {
    FESTIVAL: {
        "name": "双十一 “2025”",
        "start": "2025-11-10T20:00:00+08:00",
        "end": "2025-11-12T00:00:00+08:00",
        "timezone": "Asia/Shanghai",
        "gross_margin": 0.35,
        "phases": [
            {"name": "warm-up", "start": "2025-11-10T20:00:00+08:00", "end": "2025-11-11T00:00:00+08:00"},
            {"name": "爆发期", "start": "2025-11-11T00:00:00+08:00", "end": "2025-11-11T10:30:00+08:00"},
            {"name": "long, tail", "start": "2025-11-11T12:00:00+08:00", "end": "2025-11-12T00:00:00+08:00"},
        ],
        "targets": {
            "total": {"gmv": "2500000.50", "uv": 2000, "roi": 3},
            "phases": {"爆发期": {"paid_gmv": "100000.00"}, "warm-up": {"orders_paid": 150}},
        },
        "budgets": {"app": "20000.00", "live": "15000.50"},
        "baseline_campaign_id": DST,
    },
    DST: {
        "name": "Fall back",
        "start": "2025-11-01T12:00:00-04:00",
        "end": "2025-11-03T12:00:00-05:00",
        "timezone": "America/New_York",
        "phases": [{"name": "the long day", "start": "2025-11-02T00:00:00-04:00", "end": "2025-11-03T00:00:00-05:00"}],
    },
}
"""Body of `PUT /api/v1/campaigns/{id}` by campaign id; the gross margin of the second is the contract's default."""

SPANS: Final = {
    FESTIVAL: ("2025-11-10T18:00:00+08:00", "2025-11-12T06:00:00+08:00"),
    DST: ("2025-11-01T12:00:00-04:00", "2025-11-03T12:00:00-05:00"),
    NEVER_PUT: ("2024-02-28T22:17:00Z", "2024-02-29T03:00:00Z"),
}
"""When the events of the settled campaigns happen; the festival has some before its start and after its end."""

WIDE: Final = ("2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z")
"""A period that holds all events of the first two."""

NIGHT: Final = ("2025-11-10T23:13:37+08:00", "2025-11-11T11:47:59.999+08:00")
"""A part of the festival; its bounds count in whole minutes."""
