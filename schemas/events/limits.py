"""Limits that the contract sets on events, and those that fill its silences."""

from __future__ import annotations

from typing import Final

MAX_EVENT_BYTES: Final = 256 * 1024
"""A record above this many bytes is `too_large`."""

MAX_DEPTH: Final = 512
"""Arrays and objects within each other, the event itself counted; beyond it is `invalid_json`.

RFC 8259 leaves the limit to the parser. A fixed one keeps the verdict from depending on how deep the
caller's own stack happens to be.
"""

AMOUNT_LIMIT: Final = 10**13
"""Amounts stay below this many units of their currency, before and after conversion."""

MAX_INTEGER: Final = 2**53
"""Largest integer that every JSON implementation carries exactly."""

MAX_QUANTITY: Final = 1_000_000
"""Pieces in one line of an order."""

MAX_AHEAD_MS: Final = 10 * 60 * 1000
"""How far `event_time` may lie ahead of now, in milliseconds."""

EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01T00:00:00Z in epoch milliseconds; earlier events are refused."""
