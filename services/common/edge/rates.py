"""How often somebody may ask, in memory that does not grow with how many they are.

The generic cell rate algorithm: one number a client, the moment at which its allowance will be whole again.
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from array import array
from typing import Final

PLACES: Final = 1 << 16
"""Clients share the numbers by a keyed hash of their address: two of a thousand meet with a chance of 1 in 130, and
nobody can choose whom to meet."""


class Rates:
    """Allows each client `per_minute` requests, all at once or spread out. `now` is in seconds of any clock."""

    def __init__(self, per_minute: int, places: int = PLACES) -> None:
        self._step = 60.0 / per_minute if per_minute else 0.0
        self._whole_at = array("d", bytes(8 * places))
        self._key = secrets.token_bytes(16)

    def wait(self, client: str, now: float) -> float:
        """0 for a request that is allowed, and counted; else after how many seconds one would be."""
        if not self._step:
            return 0.0
        place = self._place(client)
        whole_at = max(self._whole_at[place], now) + self._step
        # What a minute's worth of requests takes away may stand in advance.
        late = whole_at - now - 60.0
        if late > 1e-6:
            return late
        self._whole_at[place] = whole_at
        return 0.0

    def _place(self, client: str) -> int:
        if len(self._whole_at) == 1:
            return 0
        digest = hashlib.blake2b(client.encode(), digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big") % len(self._whole_at)


def client_of(address: str | None) -> str:
    """Who counts as one client: an IPv4 address, or the /64 of an IPv6 one, which a single machine may own."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
