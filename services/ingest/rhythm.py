"""How often ingest does what it does again and again, in real time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The defaults suit the wall clock: events are seen within a second, and little is done for nothing.

    A rehearsal, in whose clock days pass in minutes, waits for ingest again and again and cannot afford them.
    """

    linger_seconds: float = 0.02
    """After a poll that brought few records: many small fetches cost more than they bring."""
    empty_fetch_seconds: float = 0.05
    """A fetch that brings nothing takes this long at least."""
    progress_seconds: float = 1.0
    """Between two reports of how far it has come."""
    longest_age_ms: int = 1_500
    """However slow the store is, records that come in a trickle wait no longer than this before they are written."""
