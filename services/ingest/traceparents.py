"""The `traceparent`s of records, found in the bytes of batches without looking at the records that have none."""

from __future__ import annotations

import re

import numpy as np

from services.common.tracing import MOST_LINKS
from services.ingest.records import Places, Traced

_HEADER = re.compile(rb"\x16traceparent\x6e(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})")
"""A header as a record batch has it: lengths as zigzag varints, 11 and 55. In a JSON value these bytes cannot be: it
has no control characters."""
_MARK = b"\x16traceparent\x6e"
_SAMPLED = 1


def traced(data: bytes, offsets: Places, value_at: Places, value_end: Places) -> tuple[Traced, ...]:
    """The first sampled ones of the records whose values lie at these places in `data`; `MOST_LINKS` at the most."""
    if _MARK not in data:
        # Almost always, and many times faster to say than by the expression.
        return ()
    found: list[Traced] = []
    for match in _HEADER.finditer(data):
        if not int(match[1][-2:], 16) & _SAMPLED:
            continue
        # Headers follow the value of their record.
        place = int(np.searchsorted(value_at, match.start(), side="right")) - 1
        if place < 0 or match.start() < value_end[place]:
            continue
        found.append(Traced(int(offsets[place]), match[1].decode()))
        if len(found) == MOST_LINKS:
            break
    return tuple(found)
