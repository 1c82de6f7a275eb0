"""What of a person gets into the tables: names that only the key's holder can tie to somebody, and bare addresses."""

from __future__ import annotations

from collections.abc import Sequence

from services.common.people import DOMAINS, PersonKey
from services.ingest.columns import Columns
from services.ingest.runs import DecodeRun, Run
from services.ingest.scan import ColumnNames, bare


def discreet(decode: DecodeRun, key: PersonKey | None) -> DecodeRun:
    """`decode`, whichever way it takes, with people named under `key`; None leaves their ids as they are."""

    names = ColumnNames(key) if key is not None else None

    def decode_run(values: Sequence[bytes | None], now_ms: int) -> Run:
        run = decode(values, now_ms)
        return Run(_discreet(run.columns, names), run.refused)

    return decode_run


def _discreet(columns: Columns, names: ColumnNames | None) -> Columns:
    changed = {}
    if "page_location" in columns:
        changed["page_location"] = bare(columns["page_location"])
    if names is not None:
        changed |= {name: names(name, columns[name]) for name in DOMAINS if name in columns}
    return {**columns, **changed}
