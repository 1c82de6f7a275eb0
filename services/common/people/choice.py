"""Which key ingest names people by: what the settings say, held against what the store's rows were written with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from services.common.errors import ConfigurationError
from services.common.people.key import PersonKey, local_keys, read_key, write_key
from services.common.people.record import (
    Mode,
    NamesRecord,
    Origin,
    holds_people,
    latest_record,
    write_record,
)
from services.common.settings import Settings
from services.common.store.interface import Store

logger = logging.getLogger(__name__)

_TWICE: Final = "with both in one store everybody would count twice"
_ROTATE: Final = "between campaigns, `warroom privacy rotate` changes it; see docs/privacy.md"


def choose_key(store: Store, settings: Settings) -> PersonKey | None:
    """The key to name people by; None leaves ids as they are. A store that was never written to remembers the choice.

    Raises `StoreError`, and `ConfigurationError` where the store's rows name people in another way.
    """
    record = latest_record(store)
    if record is None:
        record = write_record(store, _first(store, settings))
    _check(record, settings)
    if record.mode is Mode.PLAIN:
        if record.origin is Origin.BEFORE:
            logger.warning(
                "this store holds the ids of people as they were sent, from before they were hashed, and goes on so; "
                "between campaigns, `warroom privacy rotate` begins to hash them",
            )
        else:
            logger.warning("ids of people are stored as they are sent, because WARROOM_USER_IDS=plain says so")
        return None
    return _key(record, settings)


def local_directory(settings: Settings) -> Path | None:
    """Where an embedded store keeps its keys; None for a server."""
    url = settings.clickhouse_url.get_secret_value() if settings.clickhouse_url else ""
    return Path(url.removeprefix("chdb://")) / "user-keys" if url.startswith("chdb://") else None


def make_key(settings: Settings, number: int) -> NamesRecord:
    """The record of a key that nobody has named: in a file of an embedded store, else in the store.

    Raises `ConfigurationError` where the file cannot be written.
    """
    directory = local_directory(settings)
    if directory is None:
        key = PersonKey.random()
        return NamesRecord(number, Mode.HASHED, key.fingerprint, Origin.STORE, key)
    key = PersonKey.random()
    # The file first: a record whose key is lost would be the end of the store.
    write_key(directory / f"{key.fingerprint}.key", key)
    logger.info("key for the ids of people made", extra={"directory": str(directory), "fingerprint": key.fingerprint})
    return NamesRecord(number, Mode.HASHED, key.fingerprint, Origin.FILE)


def _first(store: Store, settings: Settings) -> NamesRecord:
    if settings.user_ids == "plain":
        return NamesRecord(1, Mode.PLAIN, "", Origin.CHOSEN)
    if holds_people(store):
        return NamesRecord(1, Mode.PLAIN, "", Origin.BEFORE)
    if settings.user_key_file is not None:
        return NamesRecord(1, Mode.HASHED, read_key(settings.user_key_file).fingerprint, Origin.FILE)
    return make_key(settings, 1)


def _check(record: NamesRecord, settings: Settings) -> None:
    if record.mode is Mode.HASHED and settings.user_ids == "plain":
        raise ConfigurationError(
            f"WARROOM_USER_IDS=plain, but the rows of this store name people by a key: {_TWICE}; unset it, or {_ROTATE}"
        )
    if record.mode is Mode.PLAIN and record.origin is Origin.CHOSEN and settings.user_ids != "plain":
        raise ConfigurationError(
            f"the rows of this store name people by plain ids, and ids would now be hashed: {_TWICE}; set "
            f"WARROOM_USER_IDS=plain, or {_ROTATE}"
        )
    if record.mode is Mode.PLAIN and settings.user_key_file is not None:
        raise ConfigurationError(
            "WARROOM_USER_KEY_FILE names a key, but this store holds plain ids from before they were hashed: "
            f"{_TWICE}; unset it until then, and {_ROTATE}"
        )


def _key(record: NamesRecord, settings: Settings) -> PersonKey:
    if settings.user_key_file is not None:
        key = read_key(settings.user_key_file)
        if key.fingerprint != record.fingerprint:
            raise ConfigurationError(
                f"WARROOM_USER_KEY_FILE holds the key {key.fingerprint}, but the rows of this store were written with "
                f"{record.fingerprint}: {_TWICE}; give that key back, or {_ROTATE}"
            )
        return key
    if record.key is not None:
        logger.warning(
            "the key for the ids of people lies in the store, so that whoever can read the store can find out who is "
            "who; set WARROOM_USER_KEY_FILE to a file made with `warroom privacy new-key`, before the first start or "
            "by `warroom privacy rotate`; see docs/privacy.md",
            extra={"fingerprint": record.fingerprint},
        )
        return record.key
    directory = local_directory(settings)
    key_there = local_keys(directory).get(record.fingerprint) if directory is not None else None
    if key_there is None:
        raise ConfigurationError(
            f"the rows of this store were written with the key {record.fingerprint}, which is not here; set "
            "WARROOM_USER_KEY_FILE to the file that holds it"
        )
    return key_there
