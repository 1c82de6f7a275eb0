"""Chunks hold what aiokafka itself would have returned record by record."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.fetched import _FetchedChunks, _RawRecords
from services.ingest.records import CHUNK_RECORDS, Chunk

PARTITION = TopicPartition("t", 0)

Batch = list[tuple[int, bytes | None, bytes | None]]

small = st.none() | st.binary(max_size=9)
batches = st.lists(st.lists(st.tuples(st.integers(0, 2), small, small), min_size=1, max_size=12), max_size=8)


def encode(batches: list[Batch], first: int = 50, codec: int = 0) -> tuple[bytes, int]:
    """Kafka's bytes of record batches (gap before each record, key, value), and the offset after the last."""
    data, offset = b"", first
    for batch in batches:
        builder = DefaultRecordBatchBuilder(
            magic=2,
            compression_type=codec,
            is_transactional=0,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=-1,
            batch_size=1 << 24,
        )
        base = offset
        for gap, key, value in batch:
            offset += gap
            assert builder.append(offset - base, 1_000_000 + offset, key, value, []) is not None
            offset += 1
        built = bytearray(builder.build())
        # The builder knows no base offset; it is the first field and no part of the checksum.
        built[:8] = base.to_bytes(8, "big")
        data += bytes(built)
    return data, offset


def fetch(data: bytes, position: int, isolation: int = READ_COMMITTED) -> PartitionRecords:
    return PartitionRecords(PARTITION, _RawRecords(data), [], position, None, None, True, isolation)


class _State:
    """An assignment in which the partition is at the position that the test gives."""

    active = True
    paused = False

    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, partition: TopicPartition) -> _State:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def chunks_of(data: bytes, position: int, most: int) -> tuple[list[Chunk], int]:
    """What `getmany` calls with `max_records=most` return one after another, and where they leave the consumer."""
    state = _State(position)
    records = _FetchedChunks()
    records[PARTITION] = FetchResult(PARTITION, assignment=state, partition_records=fetch(data, position), backoff=0)
    result: Any = records[PARTITION]
    chunks: list[Chunk] = []
    while result.has_more():
        chunks += result.getall(most)
    return chunks, state.position


@given(batches, st.integers(0, 12), st.integers(1, 3), st.integers(0, 4))
def test_the_same_records_and_position(batches: list[Batch], skip: int, most: int, codec: int) -> None:
    data, _ = encode(batches, codec=codec)
    # A fetch begins inside the first batch at most.
    position = min(50 + skip, encode(batches[:1])[1] - 1) if batches else 50
    expected = fetch(data, position)
    plain = [(record.offset, record.key, record.value) for record in expected]
    chunks, left_at = chunks_of(data, position, most)
    found = [triple for chunk in chunks for triple in zip(chunk.offsets, chunk.keys, chunk.values, strict=True)]
    assert found == plain
    assert left_at == expected.next_fetch_offset
    for chunk in chunks:
        assert chunk.size == sum(len(value or b"") for value in chunk.values)
        assert chunk.timestamp <= 1_000_000 + chunk.offsets[0]
        assert chunk.next_offset > chunk.offsets[-1]
    for one, other in pairwise(chunks):
        assert one.next_offset <= other.offsets[0]


def test_a_large_batch_comes_in_portions() -> None:
    batch: Batch = [(0, b"k", b"v%d" % number) for number in range(7 * CHUNK_RECORDS)]
    data, end = encode([batch])
    chunks, left_at = chunks_of(data, 50, 1)
    assert left_at == end
    assert [value for chunk in chunks for value in chunk.values] == [value for *_, value in batch]
    assert max(map(len, chunks)) < 2 * CHUNK_RECORDS


def test_markers_of_transactions_move_the_position_and_hold_no_records() -> None:
    data, middle = encode([[(0, b"k", b"v1")]])
    marker, after = encode([[(0, b"\x00\x00\x00\x01", b"")]], middle)
    # Bit 5 of the attributes makes it a control batch; the checksum over them is then wrong, so it is not checked.
    control = bytearray(marker)
    control[22] |= 0x20
    rest, end = encode([[(0, b"k", b"v2")]], after)
    whole = data + bytes(control) + rest
    fetched = PartitionRecords(PARTITION, _RawRecords(whole), [], 50, None, None, False, READ_UNCOMMITTED)
    records = _FetchedChunks()
    state = _State(50)
    records[PARTITION] = FetchResult(PARTITION, assignment=state, partition_records=fetched, backoff=0)
    chunks = records[PARTITION].getall()
    assert [value for chunk in chunks for value in chunk.values] == [b"v1", b"v2"]
    assert state.position == end
