"""The fields of a traffic event, and where a run of records has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.events.limits import MAX_AHEAD_MS, MAX_EVENT_BYTES
from services.ingest.records import Values
from services.ingest.scan.gather import Bytes, Places
from services.ingest.scan.json import ABSENT, COUNT, TEXT, find_fields, name_slot
from services.ingest.scan.times import read_times

_ANY: Final = MAX_EVENT_BYTES

# Lengths are limited in characters; who has no more bytes has no more of those.
_FORMS: Final[dict[str, tuple[int, int, bool]]] = {
    "event_id": (TEXT, 64, True),
    "event_name": (TEXT, 64, True),
    "event_time": (TEXT, _ANY, True),
    "campaign_id": (TEXT, 64, True),
    "user_id": (TEXT, 128, True),
    "channel": (TEXT, 32, False),
    "region": (TEXT, 7, False),
    "session_id": (TEXT, _ANY, False),
    "item_id": (TEXT, _ANY, False),
    "item_category": (TEXT, _ANY, False),
    "utm_source": (TEXT, _ANY, False),
    "device_category": (TEXT, _ANY, False),
    "page_location": (TEXT, _ANY, False),
    "utm_medium": (TEXT, _ANY, False),
    "utm_campaign": (TEXT, _ANY, False),
    "engagement_time_msec": (COUNT, _ANY, False),
    "experiment": (TEXT, _ANY, False),
    "variant": (TEXT, _ANY, False),
}

FIELDS: Final = {name: number for number, name in enumerate(_FORMS)}
"""The number of each field."""

_SLOTS: Final = 256
_NAMES: Final = np.frombuffer("".join(FIELDS).encode(), np.uint8)
_NAME_AT: Final = np.cumsum([0, *map(len, FIELDS)])


@cache
def _slots() -> npt.NDArray[np.uint8]:
    slots = np.full(_SLOTS, len(FIELDS), np.uint8)
    for name, number in FIELDS.items():
        text = np.frombuffer(name.encode(), np.uint8)
        slot = name_slot(text, 0, len(text), _SLOTS)
        assert slots[slot] == len(FIELDS), f"{name} shares its slot: choose another number of slots"
        slots[slot] = number
    return slots


_KINDS: Final = np.array([form for form, _, _ in _FORMS.values()], np.uint8)
_LONGEST: Final = np.array([longest for _, longest, _ in _FORMS.values()], np.int64)
_REQUIRED: Final = np.array([required for _, _, required in _FORMS.values()], np.bool_)
# Empty texts mean `absent` in most fields; in these an empty one is for the decoder to judge.
_NOT_EMPTY: Final = ("channel", "region")

_PADDING: Final = 24


@dataclass(frozen=True, slots=True)
class Found:
    """Where the fields of records lie in `data`: arrays by field and record (see `json.find_fields`)."""

    data: Bytes
    starts: Places
    lengths: Places
    numbers: npt.NDArray[np.int64]
    plain: npt.NDArray[np.bool_]

    def places(self, name: str) -> tuple[Places, Places]:
        """Where each record has the text of a field: start and length."""
        of, count = FIELDS[name], len(self.plain)
        return self.starts[of, :count], self.lengths[of, :count]

    def values(self, name: str) -> npt.NDArray[np.int64]:
        """Each record's number of a field."""
        return self.numbers[FIELDS[name], : len(self.plain)]

    def only(self, rows: npt.NDArray[np.int64]) -> Found:
        """The same of some of the records."""
        return Found(self.data, self.starts[:, rows], self.lengths[:, rows], self.numbers[:, rows], self.plain[rows])


def scan(values: Values, now_ms: int) -> Found:
    """Finds the fields of traffic events; `now_ms` is epoch milliseconds.

    `plain` says which records are surely right, but for what their event name, campaign and region have to look like.
    """
    data = values.data
    # With a power of two of columns a record's fields would all fall into one set of the processor's cache.
    shape = (len(FIELDS), len(values) + _PADDING)
    found = Found(
        data,
        np.empty(shape, np.int32),
        np.full(shape, ABSENT, np.int32),
        np.zeros(shape, np.int64),
        np.empty(len(values), np.bool_),
    )
    find_fields(
        data,
        values.begins,
        values.ends,
        _NAMES,
        _NAME_AT,
        _slots(),
        _KINDS,
        _LONGEST,
        _REQUIRED,
        found.starts,
        found.lengths,
        found.numbers,
        found.plain,
    )
    times = found.values("event_time")
    read_times(data, *found.places("event_time"), now_ms + MAX_AHEAD_MS, times, found.plain)
    found.plain[values.sizes > MAX_EVENT_BYTES] = False
    for name in _NOT_EMPTY:
        found.plain[found.places(name)[1] == 0] = False
    return found
