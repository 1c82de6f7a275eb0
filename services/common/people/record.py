"""What a store remembers of how its rows name people: a mix of two ways would count everybody twice, silently."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import pyarrow as pa

from services.common.errors import ConfigurationError, StoreRejected
from services.common.people.key import PersonKey
from services.common.store.interface import ONE_THREAD, Store

_LATEST: Final = f"""
SELECT number, mode, fingerprint, key, origin
FROM person_names
ORDER BY number DESC
LIMIT 1{ONE_THREAD}"""

_ALL: Final = f"SELECT number, mode, fingerprint, key, origin FROM person_names ORDER BY number{ONE_THREAD}"

_ANYBODY: Final = f"""
SELECT 1
FROM
(
    SELECT 1 FROM traffic_events LIMIT 1
    UNION ALL
    SELECT 1 FROM order_events LIMIT 1
    UNION ALL
    SELECT 1 FROM coupon_events LIMIT 1
)
LIMIT 1{ONE_THREAD}"""


class Mode(StrEnum):
    """How rows name people."""

    HASHED = "hashed"
    PLAIN = "plain"


class Origin(StrEnum):
    """Where the key is, or why there is none."""

    FILE = "file"
    """In a file; the store knows its fingerprint alone."""
    STORE = "store"
    """In the store itself."""
    CHOSEN = "chosen"
    """None: plain ids were asked for."""
    BEFORE = "before"
    """None: the store held plain ids before there were keys."""


@dataclass(frozen=True, slots=True)
class NamesRecord:
    """How people are named from some moment on. `number` counts from 1; `key` is set where the store keeps it."""

    number: int
    mode: Mode
    fingerprint: str
    origin: Origin
    key: PersonKey | None = field(default=None, repr=False)


def latest_record(store: Store) -> NamesRecord | None:
    """What is in force; None in a store that no ingest has written to. Raises `StoreError`.

    Raises `ConfigurationError` where the store lacks the migration.
    """
    rows = _asked(store, _LATEST)
    return rows[0] if rows else None


def all_records(store: Store) -> list[NamesRecord]:
    """Every way in which this store named people, in order. Raises as `latest_record`."""
    return _asked(store, _ALL)


def holds_people(store: Store) -> bool:
    """Whether there is a row that names somebody. Raises `StoreError`."""
    return bool(store.query(_ANYBODY))


def write_record(store: Store, record: NamesRecord) -> NamesRecord:
    """Writes a record under its number; returns the one that has it: of two writers one wins. Raises `StoreError`."""
    row = {
        "number": pa.array([record.number], pa.uint32()),
        "mode": pa.array([record.mode.value]),
        "fingerprint": pa.array([record.fingerprint]),
        "key": pa.array([record.key.secret.hex() if record.key is not None else ""]),
        "origin": pa.array([record.origin.value]),
    }
    # The token is the number, so that the first one to come has it.
    store.insert("person_names", pa.table(row), token=f"person_names.{record.number}")
    return next(each for each in all_records(store) if each.number == record.number)


def _asked(store: Store, sql: str) -> list[NamesRecord]:
    try:
        rows = store.query(sql)
    except StoreRejected as error:
        if "person_names" in str(error):
            raise ConfigurationError("the store lacks tables of this version; run `warroom migrate`") from error
        raise
    return [
        NamesRecord(
            row["number"],
            Mode(row["mode"]),
            row["fingerprint"],
            Origin(row["origin"]),
            PersonKey.from_text(row["key"]) if row["key"] else None,
        )
        for row in rows
    ]
