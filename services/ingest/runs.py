"""From a run of records to columns: traffic by the run, the rest by the event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import repeat
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from services.common.decode import Decoder, Event
from services.common.decode.memory import KnownTexts, Memory
from services.common.errors import RefusedEvent
from services.common.people import PersonKey
from services.ingest import bloom
from services.ingest.columns import Columns, columns_of
from services.ingest.records import Values
from services.ingest.scan import ColumnNames, Found, bare, labels, scan, texts


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of records came to: the columns of the accepted events, in order, and what was refused.

    `refused` names records by their position in the run. Without an event there are no columns.
    """

    columns: Columns
    refused: Sequence[tuple[int, RefusedEvent]] = field(default=())


DecodeRun: TypeAlias = Callable[[Sequence[bytes | None], int], Run]
"""Takes the bytes of records and now in epoch milliseconds."""

DecodeEvent: TypeAlias = Callable[[bytes | None, int], Event]
"""Takes the bytes of one record and now; raises `RefusedEvent`."""


def run_decoder(kind: str, currencies: Mapping[str, Decimal]) -> DecodeRun:
    """Decodes runs of one kind with the verdict of `schemas.events.judge`. Not safe for use by two threads at once.

    `currencies` is as for `Decoder`.
    """
    decode = Decoder(kind, currencies).decode
    return _TrafficRuns(Memory(currencies), decode).decode if kind == "traffic" else each(kind, decode)


def prepare() -> None:
    """Loads what is compiled: at once where it was compiled before, else within some ten seconds."""
    decode = run_decoder("traffic", {})
    sound = b'{"event_id":"1","event_name":"e","event_time":"2026-11-11T20:00:00Z","campaign_id":"c","user_id":"u"}'
    decode([sound, b"{}"], 1 << 62)
    bare(pa.array(["/"]))
    ColumnNames(PersonKey.random())("user_id", pa.array(["u"]))
    bloom.prepare()


def each(kind: str, decode: DecodeEvent) -> DecodeRun:
    """Decodes runs one event at a time."""

    def decode_run(values: Sequence[bytes | None], now_ms: int) -> Run:
        events: list[Any] = []
        refused: list[tuple[int, RefusedEvent]] = []
        decoded = map(decode, values, repeat(now_ms))
        while True:
            try:
                events.extend(decoded)
                break
            except RefusedEvent as error:
                refused.append((len(events) + len(refused), error))
        return Run(columns_of(kind, events) if events else {}, refused)

    return decode_run


_TEXTS: Final = {"event_id": "", "user_id": "", "session_id": "", "item_id": "unknown", "page_location": ""}
_LABELS: Final = {
    "event_name": "",
    "campaign_id": "",
    "channel": "unknown",
    "region": "unknown",
    "item_category": "unknown",
    "utm_source": "unknown",
    "device_category": "unknown",
    "utm_medium": "",
    "utm_campaign": "",
    "experiment": "",
    "variant": "",
}
"""The columns of traffic, with what stands for an absent value."""


class _TrafficRuns:
    def __init__(self, memory: Memory, decode: DecodeEvent) -> None:
        self._patterns = {
            "event_name": memory.names,
            "campaign_id": memory.campaigns,
            "region": memory.regions,
        }
        self._by_event = each("traffic", decode)

    def decode(self, values: Sequence[bytes | None], now_ms: int) -> Run:
        values = Values.of(values)
        found = scan(values, now_ms)
        checked = {name: _column(found, name, absent) for name, absent in _LABELS.items() if name in self._patterns}
        plain: Any = found.plain
        for name, known in self._patterns.items():
            plain = plain & _matches(checked[name], known)
        if len(values) and plain.all():
            return Run(self._columns(found, checked))
        return self._mixed(values, now_ms, found, plain)

    def _columns(self, found: Found, checked: Mapping[str, pa.Array]) -> Columns:
        columns: Columns = {**checked}
        for name, absent in _TEXTS.items():
            columns[name] = texts(found.data, *found.places(name), absent)
        for name, absent in _LABELS.items():
            if name not in columns:
                columns[name] = _column(found, name, absent)
        columns["event_time"] = pa.array(found.values("event_time")).view(pa.timestamp("ms", "UTC"))
        columns["engagement_time_msec"] = pa.array(found.values("engagement_time_msec").astype(np.uint64))
        return columns

    def _mixed(self, values: Values, now_ms: int, found: Found, plain: Any) -> Run:
        """What is not plain is decoded by the event, and put back where it was."""
        rows, others = np.flatnonzero(plain), np.flatnonzero(~plain)
        rest = self._by_event([values[at] for at in others.tolist()], now_ms)
        refused = [(int(others[at]), error) for at, error in rest.refused]
        if not len(rows):
            return Run(rest.columns, refused)
        chosen = found.only(rows)
        columns = self._columns(chosen, {name: _column(chosen, name, _LABELS[name]) for name in self._patterns})
        if rest.columns:
            accepted = np.delete(others, [at for at, _ in rest.refused])
            order = np.argsort(np.concatenate([rows, accepted]))
            together = pa.concat_tables([pa.table(columns), pa.table(rest.columns).select(list(columns))])
            table = together.unify_dictionaries().combine_chunks().take(pa.array(order)).combine_chunks()
            columns = {name: table.column(name).chunk(0) for name in columns}
        return Run(columns, refused)


def _column(found: Found, name: str, absent: str) -> pa.DictionaryArray:
    return labels(found.data, *found.places(name), absent)


def _matches(column: pa.DictionaryArray, known: KnownTexts) -> Any:
    """Where the column holds what matches the pattern."""
    right = np.array([text in known.texts or known.learn(text) for text in column.dictionary.to_pylist()], np.bool_)
    return True if right.all() else right[column.indices.to_numpy()]
