"""How far a partition is complete, claimed from what was observed and never more.

The watermark of a partition is a moment W such that every record that Kafka held at W is in the tables or among the
dead letters. What proves it is an observation: the log ended at E at a moment not before T, and everything before E is
in. Then W may be T.

A partition that starts with a backlog has no such observation for a while. Until the first is reached, the first
record that is not in speaks: Kafka did not hold it before the time S that it carries, nor any record after it. S comes
from the producer's clock where the topic says so, hence it is not believed beyond the observation that saw the record.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_MOST_OBSERVATIONS = 1024


@dataclass(frozen=True, slots=True)
class Observation:
    """The log held everything before `end` at `moment` or later; `moment` is taken before the broker is asked."""

    moment: int
    end: int


class Watermark:
    """The claim for one partition; it never goes back. Moments are epoch milliseconds, 0 stands for no claim."""

    def __init__(self) -> None:
        self.value = 0
        self.end_offset = 0
        """The end of the log as last observed; 0 before any observation."""
        self._unreached: deque[Observation] = deque()
        self._reached_one = False
        self._apart = 0

    def observe(self, observation: Observation) -> None:
        """Takes an observation, which must not be older than the one before."""
        self.end_offset = observation.end
        held = self._unreached
        # Of several observations of one end the first says when its records were there, the last proves most.
        # Where many are held, those close together say little: fewer make for coarser claims, never for larger ones.
        if len(held) > 1 and (
            held[-1].end == held[-2].end == observation.end or held[-1].moment - held[-2].moment < self._apart
        ):
            held.pop()
        held.append(observation)
        if len(held) > _MOST_OBSERVATIONS:
            self._apart = 2 * max(1, (held[-1].moment - held[0].moment) // len(held))
            self._unreached = deque([held[0], *list(held)[2::2]])

    def advance(self, next_offset: int, first_timestamp: int | None) -> int:
        """The watermark when everything before `next_offset` is in.

        `first_timestamp` is Kafka's time of the first record that is not in, or a time before that; None when that
        record has not been fetched.
        """
        while self._unreached and self._unreached[0].end <= next_offset:
            self.value = max(self.value, self._unreached.popleft().moment)
            self._reached_one = True
        if not self._unreached:
            self._apart = 0
        elif not self._reached_one and first_timestamp is not None:
            self.value = max(self.value, min(first_timestamp, self._unreached[0].moment))
        return self.value
