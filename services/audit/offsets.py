"""Whether the group's committed offsets agree with the ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from services.audit.ranges import Recorded
from services.audit.report import Check, Problem
from services.common.errors import BrokerError
from services.common.kafka import admin_client
from services.common.settings import Settings

_CALL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed offset with what ingest wrote beside it: the life of the log, and the end of the block that begins
    there and may or may not be in; None when everything before the offset is."""

    offset: int
    incarnation: str
    end: int | None


Offsets = Mapping[tuple[str, int], Committed]
"""By topic and partition."""


def compare_offsets(
    where: str, last: Recorded, before: Committed | None, after: Committed | None
) -> Iterator[Problem | str]:
    """Holds the ledger's last block against what Kafka had before the ledger was read, and after; a text is a note.

    A block is committed before it is written and entered after it: so the ledger reaches at least to the offset that
    was committed before, and at most to the end of what was committed after.
    """
    if after is None:
        yield Problem(Check.KAFKA, where, f"Kafka has no offset of the group, and the ledger ends at {last.end}")
        return
    if last.incarnation != after.incarnation or (before is not None and before.incarnation != after.incarnation):
        yield f"{where}: Kafka's offset {after.offset} belongs to another life of the log than the ledger's last block"
        return
    if before is not None and last.end < before.offset:
        yield Problem(
            Check.KAFKA, where, f"Kafka has all before {before.offset} for written, and the ledger ends at {last.end}"
        )
    reach = after.offset if after.end is None else after.end
    if last.end > reach:
        yield Problem(
            Check.KAFKA,
            where,
            f"the ledger ends at {last.end}, and Kafka's offset only reaches {reach}: what lies between is read again",
        )
    elif last.end < reach:
        yield f"{where}: in flight: the block {after.offset} to {reach}"


def read_offsets(settings: Settings) -> Offsets:
    """The group's offsets; those that ingest did not write are left out. Blocks, and must not be called from an event
    loop. Raises `BrokerError`."""
    return asyncio.run(_read(settings))


async def _read(settings: Settings) -> Offsets:
    admin = admin_client(settings)
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            await admin.start()
            held = await admin.list_consumer_group_offsets(settings.consumer_group)
    except (KafkaError, OSError, TimeoutError, AttributeError) as error:
        # aiokafka 0.14 raises AttributeError where it means to report a partition's error.
        raise BrokerError(f"could not read the offsets at {settings.kafka_bootstrap_servers}: {error!r}") from error
    finally:
        await admin.close()
    found = {}
    for partition, stored in held.items():
        if (committed := committed_of(stored.offset, stored.metadata)) is not None:
            found[partition.topic, partition.partition] = committed
    return found


def committed_of(offset: int, metadata: str | None) -> Committed | None:
    """Reads what ingest commits (`services/ingest/protocol.py`); None when something else did."""
    try:
        fields = json.loads(metadata or "")
        return Committed(offset, str(fields["incarnation"]), None if fields["end"] is None else int(fields["end"]))
    except (ValueError, KeyError, TypeError):
        return None
