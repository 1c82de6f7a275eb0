"""The truth about a lag of ingest, which no event can bring about: whoever stops ingest tells it."""

from __future__ import annotations

from services.simulator.incidents.kind import CAMPAIGN_OF_PIPELINE
from services.simulator.timeline import Truth


def ingest_lag_truth(topic: str, starts_ms: int, ends_ms: int) -> Truth:
    """Ingest did not read a topic, by its full name, from when to when; every drop that is told meanwhile is false."""
    return Truth("ingest_lag", "ingest_lag", CAMPAIGN_OF_PIPELINE, {"topic": topic}, starts_ms, ends_ms, {})
