"""What ingest calls people in a store of tests."""

from __future__ import annotations

from services.common.people import choose_key, hashed
from services.common.settings import Settings
from services.common.store import Store


def named(store: Store, column: str, identity: str) -> str:
    """What stands in a column for an id that an event gives."""
    key = choose_key(store, Settings())
    assert key is not None
    return hashed(key, column, identity)
