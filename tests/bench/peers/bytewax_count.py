"""Counts a topic's events per campaign and minute with Bytewax: ADDRESS TOPIC EVENTS window|plain.

`window` is its own operator, `count_window` by event time. `plain` keeps a dictionary for each batch and adds them up
at the end: the least that reading and parsing cost there.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import windowing
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.run import cli_main
from stopwatch import Stopwatch

BATCH_SIZE = 10_000
"""Ten times the default, and cheaper by a fifth."""

stopwatch = Stopwatch()
totals: Counter[str] = Counter()


class _Sink(DynamicSink[Any], StatelessSinkPartition[Any]):  # type: ignore[misc]  # bytewax is not among our own
    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Sink:
        return self

    def write_batch(self, items: list[Any]) -> None:
        for key, (minute, count) in items:
            totals[f"{key} {minute}"] += count


def windowed(source: Any) -> Any:
    """Bytewax's own way."""

    def parse(message: Any) -> tuple[str, datetime]:
        stopwatch.start()
        event = orjson.loads(message.value)
        return event["campaign_id"], datetime.fromisoformat(event["event_time"])

    clock = windowing.EventClock(ts_getter=lambda item: item[1], wait_for_system_duration=timedelta(minutes=5))
    minutes = windowing.TumblingWindower(length=timedelta(minutes=1), align_to=datetime(2020, 1, 1, tzinfo=UTC))
    parsed = op.map("parse", source, parse)
    return windowing.count_window("count", parsed, clock, minutes, key=lambda item: item[0]).down


def plain(source: Any) -> Any:
    """As little as can be."""

    def count(batch: list[Any]) -> list[tuple[str, tuple[str, int]]]:
        stopwatch.start()
        counts: dict[tuple[str, str], int] = {}
        for message in batch:
            event = orjson.loads(message.value)
            place = (event["campaign_id"], event["event_time"][:16])
            counts[place] = counts.get(place, 0) + 1
        return [(campaign, (minute, number)) for (campaign, minute), number in counts.items()]

    return op.flat_map_batch("count", source, count)


def main(address: str, topic: str, events: int, way: str) -> None:
    """Reads the topic to its end."""
    flow = Dataflow("count")
    source = op.input("read", flow, KafkaSource([address], [topic], tail=False, batch_size=BATCH_SIZE))
    op.output("keep", {"window": windowed, "plain": plain}[way](source), _Sink())
    cli_main(flow, workers_per_process=1)
    assert sum(totals.values()) == events, totals
    stopwatch.tell(events, {name: version(name) for name in ("bytewax", "confluent-kafka")})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
