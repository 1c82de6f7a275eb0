"""The records of compressed batches, inflated within a bound.

A batch of a megabyte may inflate to gigabytes: whoever may write to a topic could end every process that reads
it, again after each start. aiokafka and the codecs themselves know no bound.

Formats: https://kafka.apache.org/documentation/#recordbatch; raw snappy begins with its size, and xerial's form is a
row of raw blocks, https://github.com/xerial/snappy-java.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import cramjam

MOST_INFLATED: Final = 64 << 20
"""Bytes of records of one batch. Producers fill batches of 16 KiB to a few MiB, before they compress them."""

_CODEC_BITS: Final = 7
_GZIP: Final = 31
_XERIAL: Final = b"\x82SNAPPY\x00" + struct.pack("!ii", 1, 1)
"""With its version and the oldest that can read it: aiokafka takes whatever differs for raw snappy."""
_USUAL_ROOM: Final = 4 << 20
_NO_ROOM: Final = "write whole buffer"
_rooms = threading.local()

Bytes: TypeAlias = bytes | bytearray | memoryview


class TooMuch(Exception):
    """More than is allowed comes out; `head` are its first bytes, as many as were asked for."""

    def __init__(self, head: bytes) -> None:
        super().__init__(f"more than {MOST_INFLATED} bytes")
        self.head = head


class Unreadable(Exception):
    """What was to be inflated is not what it claims to be."""


def inflate(codec: int, data: memoryview, *, most: int = MOST_INFLATED, head: int = 0) -> Bytes:
    """The records of a batch whose attributes are `codec`, at most `most` bytes (4 MiB at least).

    Raises `TooMuch` with the first `head` bytes (or fewer, if these cannot be had alone), and `Unreadable`.
    """
    chosen = codec & _CODEC_BITS
    if chosen == 0:
        return data
    decode = _CODECS.get(chosen)
    if decode is None:
        raise Unreadable(f"the codec {chosen} does not exist")
    try:
        return decode(data, most, head)
    except (cramjam.DecompressionError, zlib.error, struct.error, ValueError) as error:
        raise Unreadable(str(error)) from error


def _gzip(data: memoryview, most: int, head: int) -> Bytes:
    found: list[bytes] = []
    left, rest = most, bytes(data)
    while rest:
        member = zlib.decompressobj(_GZIP)
        found.append(member.decompress(rest, left + 1))
        left -= len(found[-1])
        if left < 0:
            raise TooMuch(b"".join(found)[:head])
        if not member.eof:
            raise Unreadable("the data ends before the gzip member does")
        # Some writers fill up with zeros, which are no member.
        rest = member.unused_data.lstrip(b"\0")
    return found[0] if len(found) == 1 else b"".join(found)


def _snappy(data: memoryview, most: int, head: int) -> Bytes:
    framed = bytes(data[: len(_XERIAL)]) == _XERIAL
    blocks = _xerial_blocks(data) if framed else [data]
    # Each block says its size before it is inflated, and fails when that is not so.
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > most:
        small = cramjam.snappy.decompress_raw_len(blocks[0]) <= most
        raise TooMuch(bytes(cramjam.snappy.decompress_raw(blocks[0]))[:head] if small else b"")
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial_blocks(data: memoryview) -> list[memoryview]:
    blocks, at = [], len(_XERIAL)
    while at < len(data):
        (size,) = struct.unpack_from("!i", data, at)
        at += 4
        # aiokafka itself goes round for ever at a size of -4, and takes what there is of a last block that claims more.
        if size <= 0:
            raise Unreadable(f"a block of {size} bytes")
        blocks.append(data[at : at + size])
        at += size
    return blocks


def _into(decompress: Callable[[Bytes, bytearray], int]) -> Callable[[memoryview, int, int], Bytes]:
    """Of a codec that tells no size: into room that is there already, and into all that is allowed if that is not
    enough."""

    def decode(data: memoryview, most: int, head: int) -> Bytes:
        usual = _usual_room()
        try:
            return bytes(memoryview(usual)[: decompress(data, usual)])
        except cramjam.DecompressionError as error:
            if _NO_ROOM not in str(error):
                raise
        all_ = bytearray(most)
        try:
            return memoryview(all_)[: decompress(data, all_)]
        except cramjam.DecompressionError as error:
            if _NO_ROOM not in str(error):
                raise
            raise TooMuch(bytes(memoryview(all_)[:head])) from error

    return decode


def _usual_room() -> bytearray:
    room: bytearray | None = getattr(_rooms, "usual", None)
    if room is None:
        # New memory would cost more than inflating into it.
        room = _rooms.usual = bytearray(_USUAL_ROOM)
    return room


_CODECS: Final[Mapping[int, Callable[[memoryview, int, int], Bytes]]] = {
    1: _gzip,
    2: _snappy,
    3: _into(cramjam.lz4.decompress_into),
    4: _into(cramjam.zstd.decompress_into),
}
"""By the number that a batch gives."""
