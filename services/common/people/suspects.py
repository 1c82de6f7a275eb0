"""What alerts call a suspect: the same everywhere, and not what the tables call the same person."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2s

from services.common.errors import StoreRejected
from services.common.store import Store, StorePool

_KEY = "SELECT key FROM pseudonym_keys ORDER BY made_at, key LIMIT 1"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names of accounts and devices under a secret key: without it, nobody can try ids until one fits."""

    key: bytes = field(repr=False)

    def name(self, campaign_id: str, kind: str, identity: str) -> str:
        """16 hexadecimal digits; keyed BLAKE2s (RFC 7693), different in each campaign."""
        text = "\0".join((campaign_id, kind, identity))
        return blake2s(text.encode(), digest_size=8, key=self.key).hexdigest()


async def read_pseudonyms(pool: StorePool) -> Pseudonyms:
    """Under the key that was made with the store. Raises `StoreError`."""
    return await pool.call(read_name_key)


def read_name_key(store: Store) -> Pseudonyms:
    """As `read_pseudonyms`. Blocks."""
    rows = store.query(_KEY)
    if not rows:
        raise StoreRejected("pseudonym_keys is empty: insert one row with a random key of 64 hexadecimal digits")
    return Pseudonyms(bytes.fromhex(rows[0]["key"])[:32])
