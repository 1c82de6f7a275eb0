"""Kafka record batches as a liar writes them: with a right checksum, and whatever else is wanted."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence

import cramjam
from aiokafka import AIOKafkaProducer
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record.util import calc_crc32c, encode_varint

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4

ENCODERS = {0: bytes, GZIP: gzip_encode, SNAPPY: snappy_encode, LZ4: lz4_encode, ZSTD: zstd_encode}
"""aiokafka's own, by the number of the codec."""


async def send_raw(bootstrap_servers: str, topic: str, raw: bytes, then: bytes | None = None) -> None:
    """A batch just as it is: the producer sends bytes that it did not make. `then` is an honest record behind it.

    Raises what Kafka says of the batch.
    """
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, max_request_size=16 << 20, max_batch_size=16 << 20)
    await producer.start()
    try:
        held = producer.create_batch()
        held.append(timestamp=None, key=None, value=b"x")
        held.close()
        held._buffer = raw
        await (await producer.send_batch(held, topic, partition=0))
        if then is not None:
            await producer.send_and_wait(topic, then, partition=0)
    finally:
        await producer.stop()


_MIB = 1 << 20
_PIECE = 64 * _MIB


def record(value: bytes | None, *, delta: int = 0, key: bytes | None = None) -> bytes:
    """One record of format 2."""
    body = b"\0" + _varint(0) + _varint(delta) + _sized(key) + _sized(value) + _varint(0)
    return _varint(len(body)) + body


def batch(
    body: bytes,
    *,
    codec: int = 0,
    base: int = 0,
    count: int = 1,
    last_delta: int | None = None,
) -> bytes:
    """A batch of format 2 around a body that is compressed already."""
    # Of now: a broker deletes what is older than its retention, and may do so before anybody has read it.
    timestamp = time.time_ns() // 1_000_000
    after_crc = struct.pack(
        ">hiqqqhii", codec, count - 1 if last_delta is None else last_delta, timestamp, timestamp, -1, -1, -1, count
    )
    after_crc += body
    whole = struct.pack(">ibI", -1, 2, calc_crc32c(after_crc)) + after_crc
    return struct.pack(">qi", base, len(whole)) + whole


def batch_of(values: Sequence[bytes | None], *, codec: int = 0, base: int = 0) -> bytes:
    """An honest batch."""
    body = b"".join(record(value, delta=delta) for delta, value in enumerate(values))
    return batch(ENCODERS[codec](body), codec=codec, base=base, count=len(values))


def bomb(codec: int, size: int) -> bytes:
    """Compressed bytes of at least `size` zeros: pieces put behind each other, as each of the codecs allows."""
    if codec == SNAPPY:
        # Its form of blocks, in the order of 20 to 1.
        piece = bytes(cramjam.snappy.compress_raw(bytes(_PIECE)))
        return b"\x82SNAPPY\0" + struct.pack("!ii", 1, 1) + (struct.pack("!i", len(piece)) + piece) * _times(size)
    return bytes(ENCODERS[codec](bytes(_PIECE))) * _times(size)


def _times(size: int) -> int:
    return -(-size // _PIECE)


def _sized(data: bytes | None) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    encode_varint(number, found.append)
    return bytes(found)
