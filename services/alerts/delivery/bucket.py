"""A token bucket: how much may be sent now, and how long until more may. Time is passed in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` messages at once, and `per_minute` in the long run.

    Never more than `burst` + `per_minute` in any 60 seconds: a vendor that allows 20 a minute is kept by 5 and 15.
    """

    burst: int
    per_minute: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a limit at a moment. Times are epoch milliseconds."""

    limit: Limit
    tokens: float
    at: int

    @classmethod
    def full(cls, limit: Limit, now: int) -> Bucket:
        """A bucket from which nothing has been taken."""
        return cls(limit, limit.burst, now)

    def filled(self, now: int) -> Bucket:
        """The bucket at a later moment; a clock that went back fills nothing."""
        if now <= self.at:
            return self
        grown = self.tokens + (now - self.at) * self.limit.per_minute / 60_000
        return Bucket(self.limit, min(self.limit.burst, grown), now)

    def available(self, now: int) -> int:
        """How many messages may be sent at once."""
        # What a sum of floats misses of a whole token is no reason to wait.
        return int(self.filled(now).tokens + 1e-9)

    def taken(self, now: int) -> Bucket:
        """The bucket after one message."""
        bucket = self.filled(now)
        return Bucket(self.limit, max(0.0, bucket.tokens - 1), max(now, self.at))

    def wait_ms(self, now: int) -> int:
        """Until one message may be sent; 0 when it may now."""
        missing = 1 - self.filled(now).tokens
        return 0 if missing <= 1e-9 else int(missing * 60_000 / self.limit.per_minute) + 1


class Budget:
    """What all who send to one address may send together: the only thing here that changes."""

    def __init__(self, limit: Limit, now: int) -> None:
        self._bucket = Bucket.full(limit, now)

    def available(self, now: int) -> int:
        """How many messages may be sent at once."""
        return self._bucket.available(now)

    def wait_ms(self, now: int) -> int:
        """Until one message may be sent; 0 when it may now."""
        return self._bucket.wait_ms(now)

    def take(self, now: int) -> None:
        """One message is sent."""
        self._bucket = self._bucket.taken(now)
