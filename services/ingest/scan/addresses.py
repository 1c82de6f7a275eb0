"""Addresses of pages without what may tell who looked: queries, fragments, and who was logged in."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from services.ingest.scan.compiled import compiled

_QUERY: Final = ord("?")
_FRAGMENT: Final = ord("#")
_SLASH: Final = ord("/")
_AT: Final = ord("@")


def bare(addresses: pa.StringArray) -> pa.StringArray:
    """Each address up to its query or fragment (RFC 3986), without a user before the host."""
    count = len(addresses)
    _, places, content = addresses.buffers()
    if not count or content is None or not content.size:
        return addresses
    offsets = np.frombuffer(places, np.int32, count + 1, addresses.offset * 4)
    ends = np.empty(count + 1, np.int32)
    kept = _bare(np.frombuffer(content, np.uint8), offsets, ends)
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(kept))


@compiled
def _bare(data: Any, offsets: Any, ends: Any) -> Any:
    kept = np.empty(offsets[-1] - offsets[0], np.uint8)
    size = 0
    for i in range(len(offsets) - 1):
        ends[i] = size
        first = size
        # Where the authority begins: behind the first two slashes.
        host = -1
        inside = False
        for at in range(offsets[i], offsets[i + 1]):
            byte = data[at]
            if byte in (_QUERY, _FRAGMENT):
                break
            if byte == _AT and inside:
                size = host
                continue
            kept[size] = byte
            size += 1
            if byte == _SLASH:
                inside = host < 0 and size - first > 1 and kept[size - 2] == _SLASH
                if inside:
                    host = size
    ends[len(offsets) - 1] = size
    return kept[:size]
