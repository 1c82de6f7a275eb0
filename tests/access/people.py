"""People with keys, for tests: who they are is told by the names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from services.common.access.keys import KeyEntry, KeyFile, hash_of, new_key, write_keys
from services.common.settings import Settings

MINE = "double-11"
THEIRS = "secret-12"
"""A campaign of which only those with every campaign may know."""

PEOPLE = {
    "viewer-mine": ("viewer", (MINE,)),
    "viewer-all": ("viewer", ("*",)),
    "operator-mine": ("operator", ("double-*",)),
    "operator-all": ("operator", ("*",)),
    "admin-mine": ("admin", (MINE,)),
    "admin-all": ("admin", ("*",)),
}


def keys_in(path: Path, people: Mapping[str, tuple[str, tuple[str, ...]]] | None = None) -> dict[str, str]:
    """Writes a file of keys; the keys by name."""
    keys = {name: new_key() for name in people or PEOPLE}
    entries = tuple(
        KeyEntry(name=name, sha256=hash_of(keys[name]), role=role, campaigns=campaigns)
        for name, (role, campaigns) in (people or PEOPLE).items()
    )
    write_keys(path, KeyFile(keys=entries))
    return keys


def locked_settings(path: Path, **others: object) -> Settings:
    """Of a Warroom that asks for keys."""
    return Settings(api_keys_file=path, **others)  # type: ignore[arg-type]


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
