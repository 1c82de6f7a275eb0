"""What a run of a source said, read back from the bytes that go to Kafka."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any, NamedTuple

from services.simulator.source import Source, festival
from services.simulator.timeline import Truth

START_MS = 1_790_000_400_000
"""2026-09-21T14:20:00Z: no full hour within the next half hour."""


class Told(NamedTuple):
    """One event: when, to which topic, under which key, and what it says."""

    at_ms: int
    kind: str
    key: str
    body: dict[str, Any]


def tell(source: Source, seconds: int, live_after: int | None = None) -> list[Told]:
    """The events of so many seconds; the live part begins `live_after` seconds into them."""
    start = source.timeline.start_ms
    if live_after is not None:
        source.incidents.go_live(start + live_after * 1000)
    records = takewhile(lambda record: record.time_ms < start + seconds * 1000, source.records())
    # Malformed records on purpose have a key that says so.
    return [
        Told(r.time_ms, r.kind, r.key.decode(), json.loads(r.value)) for r in records if not r.key.startswith(b"bad-")
    ]


def truths(source: Source) -> list[dict[str, Any]]:
    """What was injected, as the ground-truth file has it."""
    return [json.loads(one.as_json()) for one in source.timeline.notices if isinstance(one, Truth)]


def a_festival(**changes: Any) -> Source:
    """A festival of modest size."""
    arguments: dict[str, Any] = {
        "seed": 7,
        "start_ms": START_MS,
        "campaign_id": "festival",
        "events_per_second": 60.0,
    }
    return festival(**(arguments | changes))
