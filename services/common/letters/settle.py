"""What became of batches whose sender ended before it could write that down. Decided from what Kafka says."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Fate(StrEnum):
    """What became of a batch."""

    DONE = "done"
    """Its transaction was committed: its records can be read."""
    VOID = "void"
    """Its transaction was not committed and cannot be any more."""
    UNKNOWN = "unknown"
    """Kafka has forgotten (it keeps a group's offsets for 7 days by default)."""


def settle(unsettled: Collection[str], committed: str | None) -> dict[str, Fate]:
    """The fate of each batch, when no other sender can commit any more.

    `committed` is the batch that Kafka says was committed last. Batches follow each other, and none is begun before
    all earlier ones are settled: so another name than the batch's own means that the batch was not committed.
    """
    if committed is None:
        return dict.fromkeys(unsettled, Fate.UNKNOWN)
    return {batch: Fate.DONE if batch == committed else Fate.VOID for batch in unsettled}
