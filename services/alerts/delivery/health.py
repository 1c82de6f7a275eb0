"""How a receiver is doing, by what became of the attempts to tell it. Pure: time is passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Health:
    """Before the first attempt nothing is known of a receiver: it is neither well nor failing.

    `failing_since`: the first failure after the last success, epoch milliseconds. `lost`: notices given up since then.
    """

    tried: bool = False
    failing_since: int | None = None
    lost: int = 0
    detail: str = ""

    def succeeded(self) -> Health:
        """After an attempt that was taken."""
        return Health(tried=True)

    def failed(self, now: int, detail: str) -> Health:
        """After an attempt that was not taken."""
        since = now if self.failing_since is None else self.failing_since
        return replace(self, tried=True, failing_since=since, detail=detail)

    def gave_up(self, now: int, detail: str, notices: int = 1) -> Health:
        """After notices were lost for good."""
        return replace(self.failed(now, detail), lost=self.lost + notices)


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """A receiver at a moment, as the rules see it. `waiting` counts its notices that are still to be told."""

    name: str
    kind: str
    health: Health
    waiting: int = 0
