"""The truth about a lag of ingest, which no event can bring about: whoever stops ingest tells it."""

from __future__ import annotations

from services.simulator.incidents.kind import CAMPAIGN_OF_PIPELINE
from services.simulator.timeline import Truth


def ingest_lag_truth(starts_ms: int, ends_ms: int, topic: str | None = None) -> Truth:
    """Ingest did not read from when to when: one topic by its full name, or all of them, which are one incident.

    Every drop that is told meanwhile is false.
    """
    labels = {} if topic is None else {"topic": topic}
    return Truth("ingest_lag", "ingest_lag", CAMPAIGN_OF_PIPELINE, labels, starts_ms, ends_ms, {})
