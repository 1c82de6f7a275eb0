"""The backlog: a festival's events, generated once, kept in a file, and put into Kafka."""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.kafka import ensure_topics
from services.common.settings import EVENT_KINDS, Settings
from services.simulator.source import backlog

EVENTS_PER_SECOND = 5_000
"""Of the festival's own time: the peak of a large shop. A longer backlog covers more of the evening."""

BATCH_BYTES = 256 << 10
"""Of one batch of records: what a producer under load comes to. Uncompressed, as is the default of every client."""

_START_MS = 1_700_000_000_000
_CHUNK = 10_000
_CHUNK_HEAD = struct.Struct("<Q")
_FILL_SECONDS = 300

Records = list[tuple[str, bytes, bytes]]
"""Kind, key and value."""


def events(count: int, cache: Path) -> Iterator[Records]:
    """So many events in the order of their time, in portions. The same count yields the same bytes.

    They come from a file below `cache`; see `generate`.
    """
    read = msgspec.msgpack.Decoder(Records).decode
    with generate(count, cache).open("rb") as held:
        while head := held.read(_CHUNK_HEAD.size):
            yield read(zlib.decompress(held.read(*_CHUNK_HEAD.unpack(head))))


def generate(count: int, cache: Path) -> Path:
    """The file of so many events, written the first time; that takes some 15 microseconds an event.

    What another version of the simulator left there is removed.
    """
    version = _version()
    file = cache / f"events-{count}-{version}"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob("events-*"):
            if not old.name.endswith(version):
                old.unlink(missing_ok=True)
        unfinished = cache / f"events-{count}-{os.getpid()}-{version}"
        with unfinished.open("wb") as out:
            made = backlog(count, count, "bench", _START_MS, max(1, count // EVENTS_PER_SECOND))
            while chunk := list(islice(made, _CHUNK)):
                packed = zlib.compress(msgspec.msgpack.encode(chunk), 1)
                out.write(_CHUNK_HEAD.pack(len(packed)) + packed)
        unfinished.rename(file)
    return file


def only(kinds: Collection[str], portions: Iterator[Records], most: int) -> Iterator[Records]:
    """The first events of some kinds."""
    left = most
    for portion in portions:
        chosen = [record for record in portion if record[0] in kinds][:left]
        left -= len(chosen)
        yield chosen
        if not left:
            return
    raise ValueError(f"the backlog holds {left} events of {sorted(kinds)} too few")


async def fill(settings: Settings, partitions: Mapping[str, int], portions: Iterator[Records]) -> int:
    """Creates the topics, produces the events in order, and returns the bytes of their values."""
    await _create(settings, partitions)
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", max_batch_size=BATCH_BYTES
    )
    await producer.start()
    try:
        async with asyncio.timeout(_FILL_SECONDS):
            return await _produce(producer, settings, partitions, portions)
    finally:
        await producer.stop()


async def _produce(
    producer: AIOKafkaProducer, settings: Settings, partitions: Mapping[str, int], portions: Iterator[Records]
) -> int:
    # Whole batches: a future for every record costs more than all the rest.
    batches: dict[tuple[str, int], Any] = {}
    sent = []
    size = 0
    for portion in portions:
        for kind, key, value in portion:
            # Where librdkafka's clients put a key.
            place = (kind, zlib.crc32(key) % partitions[kind])
            batch = batches.get(place)
            if batch is None or batch.append(key=key, value=value, timestamp=None) is None:
                if batch is not None:
                    sent.append(await producer.send_batch(batch, settings.topics[kind], partition=place[1]))
                batch = batches[place] = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
            size += len(value)
    for (kind, partition), batch in batches.items():
        sent.append(await producer.send_batch(batch, settings.topics[kind], partition=partition))
    await asyncio.gather(*sent)
    return size


async def _create(settings: Settings, partitions: Mapping[str, int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(settings.topics[kind], partitions[kind], 1) for kind in EVENT_KINDS])
    finally:
        await admin.close()
    await ensure_topics(settings)


def _version() -> str:
    simulator = Path(__file__).resolve().parents[2] / "services" / "simulator"
    digest = hashlib.sha256()
    for source in sorted(simulator.rglob("*.py")):
        digest.update(source.read_bytes())
    return f"{EVENTS_PER_SECOND}-{digest.hexdigest()[:12]}"
