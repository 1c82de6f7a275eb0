"""What people are called: a keyed hash of the id that the shop knows them by.

Ingest computes the same of whole columns: services/ingest/scan/names.py.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from services.common.people.key import PersonKey

DOMAINS: Final[Mapping[str, bytes]] = {
    "user_id": b"warroom/user",
    "device_id": b"warroom/device",
    "session_id": b"warroom/session",
}
"""The columns that name a person, with what keeps equal texts of different columns apart."""

LENGTH: Final = 22
"""Characters of a pseudonym: 128 bits in base64 for URLs, without padding."""

ERASED_MARK: Final = "~"
"""What the name of somebody begins with who was erased. No pseudonym does."""

_DIGEST_BYTES: Final = 16


def hashed(key: PersonKey, column: str, identity: str) -> str:
    """Keyed BLAKE2b (RFC 7693) of an id, 128 bits: equal ids of one column are equal, and nothing else is known.

    Nobody, an empty text, stays nobody. Of a thousand million people two share a pseudonym once in 10^20 shops.
    """
    if not identity:
        return ""
    digest = blake2b(
        identity.encode(),
        key=key.secret,
        digest_size=_DIGEST_BYTES,
        person=DOMAINS[column],
    ).digest()
    return urlsafe_b64encode(digest)[:LENGTH].decode("ascii")
