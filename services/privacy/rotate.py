"""Another key from now on: between campaigns, and while nobody writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.common.clock import Clock
from services.common.errors import ConfigurationError
from services.common.people import Mode, NamesRecord
from services.common.people.choice import make_key
from services.common.people.key import read_key
from services.common.people.record import Origin, all_records, latest_record, write_record
from services.common.settings import Settings
from services.common.store import Store

QUIET_MS = 15_000
"""Ingest that runs says how far it has come about once a second."""

_LAST_WORD = "SELECT toUnixTimestamp64Milli(max(updated_at)) AS at FROM ingest_progress"

_LIVE = """
SELECT campaign_id
FROM (SELECT campaign_id, argMax(campaigns.body, version) AS declared FROM campaigns GROUP BY campaign_id)
WHERE parseDateTime64BestEffortOrNull(JSONExtractString(declared, 'start'), 3, 'UTC') <=
        fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    AND parseDateTime64BestEffortOrNull(JSONExtractString(declared, 'end'), 3, 'UTC') >
        fromUnixTimestamp64Milli({now:Int64}, 'UTC')
ORDER BY campaign_id"""


@dataclass(frozen=True, slots=True)
class Rotated:
    """The record before, if there was one, and the one in force now."""

    before: NamesRecord | None
    now: NamesRecord


def rotate(
    store: Store, settings: Settings, clock: Clock, *, to: Path | None = None, plain: bool = False, force: bool = False
) -> Rotated:
    """Begins to name people by the key in the file `to`, by a new one that is made, or not at all (`plain`).

    Raises `StoreError`, and `ConfigurationError` while ingest runs, while a campaign does (unless `force`d), and for a
    key that was in force before.
    """
    now = clock()
    (word,) = store.query(_LAST_WORD)
    if 0 <= now - word["at"] < QUIET_MS:
        raise ConfigurationError(
            f"ingest wrote to this store {(now - word['at']) / 1000:.0f} s ago, under the key until now; stop every "
            "ingest first, and start it with the new key afterwards"
        )
    live = [row["campaign_id"] for row in store.query(_LIVE, {"now": now})]
    if live and not force:
        raise ConfigurationError(
            f"the campaign {live[0]} runs, and whoever is seen before and after would count twice in it; wait for its "
            "end, or say --force to accept that"
        )
    before = latest_record(store)
    number = before.number + 1 if before is not None else 1
    made = _next(store, settings, number, to, plain=plain)
    written = write_record(store, made)
    if written != made:
        raise ConfigurationError("somebody else changed the key at the same moment; look which one is in force")
    return Rotated(before, written)


def _next(store: Store, settings: Settings, number: int, to: Path | None, *, plain: bool) -> NamesRecord:
    if plain:
        return NamesRecord(number, Mode.PLAIN, "", Origin.CHOSEN)
    if to is None:
        if settings.user_key_file is not None:
            raise ConfigurationError(
                "WARROOM_USER_KEY_FILE names the key; make another with `warroom privacy new-key FILE`, give it to "
                "`warroom privacy rotate --to FILE`, and set WARROOM_USER_KEY_FILE to it afterwards"
            )
        return make_key(settings, number)
    key = read_key(to)
    if any(record.fingerprint == key.fingerprint for record in all_records(store)):
        raise ConfigurationError(f"{to} holds the key {key.fingerprint}, which was in force before; make a new one")
    return NamesRecord(number, Mode.HASHED, key.fingerprint, Origin.FILE)
