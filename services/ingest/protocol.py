"""Exactly once, decided: what is committed with an offset, and what to do with it on assignment.

The range of a block is committed to Kafka as metadata of the block's first offset before its rows are written. Whoever
is assigned the partition next finds either a block that may or may not be in the tables, builds exactly that block
again and inserts it with the same token, or the offset after the last block that surely is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The metadata of a committed offset.

    `incarnation` names one life of the topic's log (see `new_incarnation`); tokens of two lives never meet.
    `opened_at` (epoch milliseconds) is when the latest block was opened: no later block may claim an earlier moment.
    `end` is the first offset after the block that starts at the committed offset, or None when everything before that
    offset is in the tables.
    """

    incarnation: str
    opened_at: int
    start: int
    end: int | None = None

    def encode(self) -> str:
        """The text that is committed; brokers take up to 4,096 characters of it."""
        return json.dumps(
            {
                "v": _VERSION,
                "incarnation": self.incarnation,
                "opened_at": self.opened_at,
                "start": self.start,
                "end": self.end,
            },
            separators=(",", ":"),
        )

    @classmethod
    def decode(cls, offset: int, metadata: str | None) -> Checkpoint | None:
        """None when the metadata was not written by this protocol for this offset, e.g. by a tool that set it."""
        try:
            fields = json.loads(metadata or "")
            if fields["v"] != _VERSION or fields["start"] != offset:
                return None
            end = fields["end"]
            if not (isinstance(fields["incarnation"], str) and isinstance(fields["opened_at"], int)):
                return None
            if end is not None and not (isinstance(end, int) and end > offset):
                return None
            return cls(fields["incarnation"], fields["opened_at"], offset, end)
        except (ValueError, KeyError, TypeError):
            return None


def new_incarnation(topic_id: str | None, life: str) -> str:
    """Names a life of a topic's log: by the id that Kafka gave the topic, if it gives any, and by something unique.

    The id alone would not do: a broker that loses its latest records fills their offsets anew under the same id.
    """
    return f"{topic_id}.{life}" if topic_id else life


def _topic_id(incarnation: str) -> str | None:
    return incarnation.partition(".")[0] if "." in incarnation else None


@dataclass(frozen=True, slots=True)
class BlockId:
    """One block: `start` is its first offset, `end` the first after it.

    `opened_at` is the arrival of all its rows and the moment against which its events are judged.
    """

    topic: str
    partition: int
    incarnation: str
    start: int
    end: int
    opened_at: int

    @property
    def token(self) -> str:
        """What makes a repeated insert a no-op.

        It names `opened_at` too: should a broker lose its latest records and fill their offsets anew, the new block
        is not taken for the old one.
        """
        return f"{self.topic}-{self.incarnation}-{self.partition}-{self.start}-{self.end}-{self.opened_at}"

    @property
    def checkpoint(self) -> Checkpoint:
        """What is committed before the block is written."""
        return Checkpoint(self.incarnation, self.opened_at, self.start, self.end)


@dataclass(frozen=True, slots=True)
class Replay:
    """Build the block again, insert it with its token, then go on at its end."""

    start: int
    end: int
    opened_at: int
    incarnation: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on at `offset`; blocks are opened later than `opened_at`.

    `notice` says what is wrong with the log, in a sentence, when something is. `missing` bounds how many records
    vanished from the log before they were surely in the tables.
    """

    offset: int
    opened_at: int
    incarnation: str
    notice: str | None = None
    missing: int = 0


Decision: TypeAlias = Replay | Resume


def on_assignment(
    committed: int | None,
    metadata: str | None,
    *,
    log_start: int,
    log_end: int,
    new_incarnation: str,
) -> Decision:
    """What to do with a partition that was just assigned.

    `committed` and `metadata` are the group's; the log holds `[log_start, log_end)`; `new_incarnation` is used where a
    life of the log begins. A decision that reads records again relies on the duplicate filter to drop those whose rows
    are already there.
    """
    if committed is None:
        return Resume(log_start, 0, new_incarnation)
    checkpoint = Checkpoint.decode(committed, metadata) or Checkpoint(new_incarnation, 0, committed)
    opened_at = checkpoint.opened_at
    before, now = _topic_id(checkpoint.incarnation), _topic_id(new_incarnation)
    if before and now and before != now:
        return Resume(
            log_start,
            opened_at,
            new_incarnation,
            f"the topic was deleted and created anew; what the old one held behind offset {committed} is gone, "
            "reading the new one from its start",
        )
    if committed > log_end:
        return Resume(
            log_start,
            opened_at,
            new_incarnation,
            f"the log ends at {log_end}, before the committed offset {committed}: "
            "the topic was created anew or lost records; reading it from its start",
        )
    if committed < log_start:
        return Resume(
            log_start,
            opened_at,
            new_incarnation,
            f"retention removed the records {committed} to {log_start} before they were surely in the tables",
            log_start - committed,
        )
    return _on_same_log(checkpoint, log_end, new_incarnation)


def _on_same_log(checkpoint: Checkpoint, log_end: int, new_incarnation: str) -> Decision:
    committed, opened_at, end = checkpoint.start, checkpoint.opened_at, checkpoint.end
    if end is None:
        # From a broker that gave its topics no ids: from here on this one can be told.
        told = _topic_id(new_incarnation) and not _topic_id(checkpoint.incarnation)
        incarnation = new_incarnation if told else checkpoint.incarnation
        return Resume(committed, opened_at, incarnation)
    if end > log_end:
        return Resume(
            committed,
            opened_at,
            new_incarnation,
            f"the log ends at {log_end}, inside the block that ends at {end}: the broker lost records",
        )
    return Replay(committed, end, opened_at, checkpoint.incarnation)


def matters_since(decision: Decision, now: int, horizon_ms: int) -> int:
    """The moment (epoch milliseconds) before which arrivals are no matter to the next block, nor to any after it.

    A block is judged by what arrived within `horizon_ms` before it was opened. Should the clock be set back, by a
    horizon at most, blocks go on being opened from `opened_at`.
    """
    if isinstance(decision, Replay):
        return decision.opened_at - horizon_ms
    return max(decision.opened_at, now - horizon_ms) - horizon_ms
