"""Where the event loop's thread is: looked at now and then, told by the part of ingest that it works for."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from types import FrameType, TracebackType
from typing import Final, Self

_EVERY_SECONDS = 0.02

PLACES: Final = {
    "duplicate filter": ("ingest/duplicates", "ingest/bloom", "ingest/history", "ingest/ids", "ingest/settling"),
    "decode and columns": ("ingest/scan/", "ingest/runs", "ingest/columns", "common/decode/"),
    "fetch": ("ingest/fetched", "ingest/records", "aiokafka/"),
    "handing to the store": ("ingest/writer", "common/store/", "clickhouse_connect/"),
}
"""Pieces of file names. The innermost frame that fits decides."""


class LoopWatch:
    """Looks fifty times a second for the length of a `with` block, which the watched thread enters."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._watched = threading.get_ident()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    @property
    def shares(self) -> dict[str, float]:
        """The part of its time in Python that went to each place.

        What the loop itself does in C, waiting included, is left out. A look has to wait for the interpreter's lock,
        so long calls of C are seen a little less often than they happen.
        """
        total = sum(self._seen.values())
        return {place: round(count / total, 3) for place, count in self._seen.most_common()} if total else {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(5)

    def _watch(self) -> None:
        while not self._end.wait(_EVERY_SECONDS):
            frame = sys._current_frames().get(self._watched)
            if frame is not None and not frame.f_code.co_filename.endswith("asyncio/runners.py"):
                self._seen[place_of(frame)] += 1


def place_of(frame: FrameType) -> str:
    """The place of a stack, given its innermost frame."""
    at: FrameType | None = frame
    while at is not None:
        file = at.f_code.co_filename
        for place, pieces in PLACES.items():
            if any(piece in file for piece in pieces):
                return place
        at = at.f_back
    return "the rest"
