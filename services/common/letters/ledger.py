"""The table `dead_letter_redrives`: what was meant to be sent back, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from services.common.clock import to_ms
from services.common.letters.letter import Letter
from services.common.letters.place import Place
from services.common.store import StorePool

_MOMENT = pa.timestamp("ms", "UTC")

_OPEN = """
SELECT
    batch,
    toString(topic) AS topic,
    kafka_partition,
    kafka_offset,
    arrived_at,
    to_partition,
    to_offset,
    changed
FROM dead_letter_redrives
WHERE step = 'intended' AND topic IN {topics:Array(String)}
    AND batch NOT IN (SELECT batch FROM dead_letter_redrives WHERE step != 'intended')
ORDER BY batch, topic, kafka_partition, kafka_offset
"""


_UNKNOWN = """
SELECT DISTINCT toString(topic) AS topic, kafka_partition, kafka_offset, arrived_at
FROM dead_letter_redrives
WHERE step = 'unknown' AND topic IN {topics:Array(String)}
"""


@dataclass(frozen=True, slots=True)
class Intent:
    """A letter that goes back within a transaction, and where it then stands."""

    origin: Place
    received_at: int
    destination: Place
    changed: bool

    @classmethod
    def of(cls, letter: Letter, destination: Place, *, changed: bool) -> Intent:
        """The intent for a letter."""
        return cls(letter.place, letter.received_at, destination, changed)

    @property
    def identity(self) -> tuple[Place, int]:
        """The letter's."""
        return self.origin, self.received_at


class RedriveLedger:
    """Of the letters of some topics. Rows are only ever added. Every call raises `StoreError` and may be repeated."""

    def __init__(self, pool: StorePool, topics: Collection[str]) -> None:
        self._pool = pool
        self._topics = {"topics": list(topics)}

    async def unsettled(self) -> dict[str, list[Intent]]:
        """The intents of each batch of which it is not written whether its transaction was committed."""
        batches: dict[str, list[Intent]] = {}
        for row in await self._pool.query(_OPEN, self._topics):
            origin = Place(row["topic"], row["kafka_partition"], row["kafka_offset"])
            destination = Place(row["topic"], row["to_partition"], row["to_offset"])
            intent = Intent(origin, to_ms(row["arrived_at"]), destination, bool(row["changed"]))
            batches.setdefault(row["batch"], []).append(intent)
        return batches

    async def unknown(self) -> set[tuple[Place, int]]:
        """Identities of the letters of which Kafka could not tell whether they went."""
        return {
            (Place(row["topic"], row["kafka_partition"], row["kafka_offset"]), to_ms(row["arrived_at"]))
            for row in await self._pool.query(_UNKNOWN, self._topics)
        }

    async def write(self, batch: str, step: str, intents: Sequence[Intent], now_ms: int) -> None:
        """`step` is `intended` or one of `Fate`; a batch takes each once."""
        rows = pa.table(
            {
                "batch": pa.array([batch] * len(intents), pa.string()),
                "step": pa.array([step] * len(intents), pa.string()),
                "at": pa.array([now_ms] * len(intents), _MOMENT),
                "topic": pa.array([each.origin.topic for each in intents], pa.string()),
                "kafka_partition": pa.array([each.origin.partition for each in intents], pa.uint16()),
                "kafka_offset": pa.array([each.origin.offset for each in intents], pa.uint64()),
                "arrived_at": pa.array([each.received_at for each in intents], _MOMENT),
                "to_partition": pa.array([each.destination.partition for each in intents], pa.uint16()),
                "to_offset": pa.array([each.destination.offset for each in intents], pa.uint64()),
                "changed": pa.array([int(each.changed) for each in intents], pa.uint8()),
            }
        )
        await self._pool.insert("dead_letter_redrives", rows, token=f"redrive-{batch}-{step}")
