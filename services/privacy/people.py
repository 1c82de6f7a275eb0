"""From the id that a person is known by outside to what the rows of a store call them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import InvalidRequest
from services.common.people import PersonKey, hashed
from services.common.people.choice import local_directory
from services.common.people.key import local_keys, read_key
from services.common.people.record import Mode, all_records
from services.common.settings import Settings
from services.common.store import Store

LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Person:
    """An id, and what the rows may call it: one name for each key that they were written with."""

    user_id: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """Every way in which a store named people. `missing` are fingerprints of keys that are not at hand."""

    keys: tuple[PersonKey, ...]
    plain: bool
    missing: tuple[str, ...]

    def person(self, user_id: str) -> Person:
        """Raises `InvalidRequest` for what is no id."""
        if not 1 <= len(user_id) <= LONGEST_ID:
            raise InvalidRequest("user_id", f"must be 1 to {LONGEST_ID} characters")
        names = tuple(hashed(key, "user_id", user_id) for key in self.keys)
        return Person(user_id, (user_id, *names) if self.plain else names)


def find_keys(store: Store, settings: Settings, older: Iterable[Path] = ()) -> Keys:
    """The keys of a store: those that it keeps, the one of the settings, those beside an embedded store, and files.

    Raises `StoreError`, and `ConfigurationError` for a file that cannot be used.
    """
    records = all_records(store)
    directory = local_directory(settings)
    at_hand = dict(local_keys(directory)) if directory is not None else {}
    files = [*older] if settings.user_key_file is None else [settings.user_key_file, *older]
    at_hand |= {key.fingerprint: key for key in map(read_key, files)}
    at_hand |= {record.fingerprint: record.key for record in records if record.key is not None}
    # The latest first: most of what is asked for was written with it.
    wanted = list(dict.fromkeys(each.fingerprint for each in reversed(records) if each.mode is Mode.HASHED))
    return Keys(
        tuple(at_hand[fingerprint] for fingerprint in wanted if fingerprint in at_hand),
        # A store without a record was written to before there were keys, if at all.
        not records or any(record.mode is Mode.PLAIN for record in records),
        tuple(fingerprint for fingerprint in wanted if fingerprint not in at_hand),
    )


def all_names(people: Sequence[Person]) -> list[str]:
    """Each name once."""
    return list(dict.fromkeys(name for person in people for name in person.names))
