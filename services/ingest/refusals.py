"""What is refused: its form in the dead-letter topic and in the table beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import pyarrow as pa

from services.common.clock import to_datetime
from services.ingest.columns import constant, moment
from services.ingest.protocol import BlockId


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is not counted, with the contract's reason."""

    offset: int
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str


def letter(block: BlockId, refusal: Refusal, *, limit: int) -> tuple[bytes | None, bytes]:
    """Key and value of the record for the dead-letter topic.

    What is longer than `limit` bytes together travels without the refused value, and if need be without the key, and
    says so: the table of dead letters holds them whole.
    """
    key, text = refusal.key, _encode(block, refusal, refusal.detail, refusal.key, refusal.value)
    if len(text) + len(key or b"") <= limit:
        return key, text
    detail = (
        f"{refusal.detail}; the value of {len(refusal.value or b'')} bytes is too large for this topic "
        "and kept in the table dead_letters only"
    )
    text = _encode(block, refusal, detail, key, None)
    if len(text) + len(key or b"") <= limit:
        return key, text
    return None, _encode(block, refusal, f"{detail}, as is the key of {len(key or b'')} bytes", None, None)


def received_at(block: BlockId) -> str:
    """When the block was opened, as its letters say it."""
    return to_datetime(block.opened_at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Letter(msgspec.Struct):
    """The contract's form; msgspec writes bytes as base64."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes
    received_at: str


_WRITE: Final = msgspec.json.Encoder().encode


def _encode(block: BlockId, refusal: Refusal, detail: str, key: bytes | None, value: bytes | None) -> bytes:
    form = _Letter(
        refusal.reason,
        detail,
        block.topic,
        block.partition,
        refusal.offset,
        _text(key),
        value or b"",
        received_at(block),
    )
    try:
        return _WRITE(form)
    except UnicodeEncodeError:
        # Half of a surrogate pair, which a detail may quote, has no UTF-8.
        form.detail = detail.encode("utf-8", "backslashreplace").decode()
        return _WRITE(form)


def dead_letters(block: BlockId, refusals: Sequence[Refusal]) -> pa.Table:
    """Rows for the table `dead_letters`, the values whole."""
    count = len(refusals)
    return pa.table(
        {
            "arrived_at": moment(block.opened_at, count),
            "topic": constant(block.topic, pa.string(), count),
            "kafka_partition": constant(block.partition, pa.uint16(), count),
            "kafka_offset": pa.array([refusal.offset for refusal in refusals], pa.uint64()),
            "reason": pa.array([refusal.reason for refusal in refusals], pa.string()),
            "detail": pa.array([refusal.detail for refusal in refusals], pa.string()),
            "key": pa.array([_text(refusal.key) for refusal in refusals], pa.string()),
            "key_base64": pa.array([_kept(refusal.key) for refusal in refusals], pa.string()),
            "value_bytes": pa.array([len(refusal.value or b"") for refusal in refusals], pa.uint32()),
            "value": pa.array([base64.b64encode(refusal.value or b"").decode() for refusal in refusals], pa.string()),
        }
    )


def _kept(key: bytes | None) -> str:
    """base64 of a key whose bytes the text does not give back, else nothing."""
    try:
        (key or b"").decode()
    except UnicodeDecodeError:
        return base64.b64encode(key or b"").decode()
    return ""


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode("utf-8", "backslashreplace")
