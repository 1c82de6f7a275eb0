"""Says about once a second how far every assigned partition has come: in `ingest_progress` and in Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pyarrow as pa
from aiokafka import TopicPartition

from services.common import prometheus
from services.common.errors import StoreError
from services.common.store import StorePool
from services.ingest.lane import Lane
from services.ingest.watermark import Observation, Watermark

logger = logging.getLogger(__name__)

_MOMENT = pa.timestamp("ms", "UTC")


class Progress:
    """The watermarks of the partitions assigned to this process."""

    def __init__(self, store: StorePool) -> None:
        self._store = store
        self._watermarks: dict[TopicPartition, Watermark] = {}
        self._said: dict[TopicPartition, int] = {}

    def observe(self, moment: int, ends: Mapping[TopicPartition, int]) -> None:
        """Takes what the broker said of its logs' ends when it was asked at `moment`, or later."""
        for partition, end in ends.items():
            self._watermarks.setdefault(partition, Watermark()).observe(Observation(moment, end))

    def forget(self, partitions: set[TopicPartition]) -> None:
        """The partitions belong to another member from now on; it claims for them."""
        for partition in partitions & self._watermarks.keys():
            del self._watermarks[partition]
            self._said.pop(partition, None)
            for gauge in (prometheus.INGEST_LAG_RECORDS, prometheus.INGEST_LAG_SECONDS):
                gauge.remove(partition.topic, str(partition.partition))

    def has_caught_up(self, partition: TopicPartition, lane: Lane) -> bool:
        """Everything that was last seen in the log is in the tables."""
        watermark = self._watermarks.get(partition)
        return watermark is not None and lane.complete_to >= watermark.end_offset

    def is_behind(self, partition: TopicPartition, lane: Lane, records: int) -> bool:
        """More than so many records of the log, as it was last seen, are still to be fetched."""
        watermark = self._watermarks.get(partition)
        return watermark is not None and watermark.end_offset - lane.fetched_to > records

    async def write(self, now: int, lanes: Mapping[TopicPartition, Lane]) -> None:
        """Writes the progress of the lanes whose log has been observed. A failure is logged: the next call heals it."""
        rows = []
        for partition, lane in lanes.items():
            watermark = self._watermarks.get(partition)
            if watermark is None:
                continue
            value = watermark.advance(lane.complete_to, lane.first_timestamp)
            end = max(watermark.end_offset, lane.complete_to)
            labels = (partition.topic, str(partition.partition))
            prometheus.INGEST_LAG_RECORDS.labels(*labels).set(end - lane.complete_to)
            if value:
                prometheus.INGEST_LAG_SECONDS.labels(*labels).set(max(0, now - value) / 1000)
            rows.append((partition, lane, end, value))
        if not rows:
            return
        try:
            await self._recall({partition for partition, *_ in rows} - self._said.keys())
        except StoreError as error:
            logger.warning("progress not written", extra={"error": str(error)})
            return
        table = pa.table(
            {
                "topic": pa.array([partition.topic for partition, *_ in rows], pa.string()),
                "kafka_partition": pa.array([partition.partition for partition, *_ in rows], pa.uint16()),
                "kind": pa.array([lane.kind for _, lane, *_ in rows], pa.string()),
                "next_offset": pa.array([lane.complete_to for _, lane, *_ in rows], pa.uint64()),
                "end_offset": pa.array([end for _, _, end, _ in rows], pa.uint64()),
                "watermark": pa.array([value for *_, value in rows], _MOMENT),
                "updated_at": pa.array([self._after(partition, now) for partition, *_ in rows], _MOMENT),
            }
        )
        try:
            await self._store.insert("ingest_progress", table)
        except StoreError as error:
            logger.warning("progress not written", extra={"error": str(error)})

    async def _recall(self, partitions: set[TopicPartition]) -> None:
        """Learns when the partitions' progress was last told, by whoever did."""
        if not partitions:
            return
        rows = await self._store.query(
            """
            SELECT topic, kafka_partition, toUnixTimestamp64Milli(max(updated_at)) AS said
            FROM ingest_progress
            WHERE topic IN {topics:Array(String)}
            GROUP BY topic, kafka_partition
            """,
            {"topics": sorted({partition.topic for partition in partitions})},
        )
        said = {TopicPartition(row["topic"], row["kafka_partition"]): row["said"] for row in rows}
        self._said.update({partition: said.get(partition, 0) for partition in partitions})

    def _after(self, partition: TopicPartition, now: int) -> int:
        """A moment after the one before, whatever the clock says: of two rows readers take the later one, and after a
        step back would see no progress until the clock had caught up."""
        self._said[partition] = said = max(now, self._said[partition] + 1)
        return said
