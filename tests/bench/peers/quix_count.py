"""Counts a topic's events per campaign and minute with Quix Streams: ADDRESS TOPIC EVENTS window|plain.

`window` is its own operator, a tumbling window with its state in RocksDB; the topic has one partition, so that the
events need not go through a second topic to be grouped. `plain` keeps a dictionary of its own in place of state: the
least that reading and parsing cost there.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections import Counter
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from quixstreams import Application
from stopwatch import Stopwatch

stopwatch = Stopwatch()
totals: Counter[str] = Counter()


def windowed(app: Application, topic: str) -> None:
    """Quix Streams' own way."""

    def event_time(value: Any, headers: Any, timestamp: float, timestamp_type: Any) -> int:
        stopwatch.start()
        return int(datetime.fromisoformat(value["event_time"]).timestamp() * 1000)

    def keep(result: Any) -> None:
        totals[result["start"]] = result["value"]

    source = app.topic(topic, value_deserializer="json", key_deserializer="bytes", timestamp_extractor=event_time)
    minutes = app.dataframe(source).group_by("campaign_id").tumbling_window(timedelta(minutes=1), timedelta(minutes=5))
    # Every event tells its window's count so far: `final` would keep the last minute back for ever.
    minutes.count().current().update(keep)


def plain(app: Application, topic: str) -> None:
    """As little as can be."""

    def count(event: Any) -> None:
        stopwatch.start()
        totals[event["campaign_id"] + event["event_time"][:16]] += 1

    app.dataframe(app.topic(topic, value_deserializer="json", key_deserializer="bytes")).update(count)


def main(address: str, topic: str, events: int, way: str) -> None:
    """Reads the topic until the last of its events."""
    versions = {name: version(name) for name in ("quixstreams", "confluent-kafka")}

    def processed(topic: str, partition: int, offset: int) -> None:
        if offset == events - 1:
            assert sum(totals.values()) == events, totals
            stopwatch.tell(events, versions)
            app.stop()

    with tempfile.TemporaryDirectory(prefix="quix-count-") as state:
        app = Application(
            broker_address=address,
            consumer_group=f"quix-count-{uuid.uuid4().hex}",
            auto_offset_reset="earliest",
            auto_create_topics=False,
            # No copy of the state in Kafka: a crash would lose the counts, and it costs less.
            use_changelog_topics=False,
            state_dir=state,
            on_message_processed=processed,
            loglevel="WARNING",
        )
        {"window": windowed, "plain": plain}[way](app, topic)
        app.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
