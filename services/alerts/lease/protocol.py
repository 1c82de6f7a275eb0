"""The protocol of the lease: at most one instance at a time believes that it is its turn.

The lease has terms, numbered from 1. A term belongs to whoever first inserts its number: the store drops every later
insert with the same deduplication token. The holder renews its term; who finds that a term was not renewed for `ttl_ms`
takes the next one. Three rules keep two from acting at once, whatever pauses or answers get lost between them:

1. The holder counts by its own clock, from before it sent the renewal, and for less than `ttl_ms`. The store's clock
   reads a later moment, so that by the store's clock the lease is valid at least as long.
2. A renewal is one only when the holder, reading after it, finds no later term.
3. Who has taken a term acts only when every renewal of an earlier term, read after the term was taken, is older than
   `ttl_ms` by the store's clock. By rule 2 no other renewal of an earlier term can succeed any more.

A later term may be taken while it is still the turn of the earlier holder: when that renewed after the other had found
the lease free, and before it took it. What the earlier one records from then on counts for nothing, as its successor
takes up what was there before its own term. So nobody is told of it unless no later term is found after it was recorded
(`confirm`).

So it is the lease of Gray and Cheriton ("Leases: an efficient fault-tolerant mechanism", SOSP 1989), and of clocks it
needs what that does: they may show any time, and must run at one rate to within the margin. A holder that was paused
past its lease finds it out by its own clock before it does anything (`Lease.held`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

TTL_MS = 8_000
_MARGIN = 8
"""An eighth of the lease is what clocks may differ by while it lasts, where quartz stays within a ten-thousandth."""

Elapsed = Callable[[], int]
"""Milliseconds that have passed since some moment, also while the process or the machine slept."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The lease as the store has it, in milliseconds by the store's clock.

    `term` is the last one taken, `renewed_at` when it was last renewed or taken. `earlier_at` is the same of the terms
    before it that were not given back; 0 when there are none.
    """

    term: int
    holder: str
    renewed_at: int
    released: bool
    earlier_at: int
    now: int


class LeaseBook(Protocol):
    """The store of leases. All calls raise `StoreError`; one that raised may have happened nevertheless."""

    async def read(self) -> Standing | None:
        """The last term; None before the first."""
        ...

    async def take(self, term: int, holder: str) -> None:
        """Asks for a term; the first who does has it."""
        ...

    async def renew(self, term: int, holder: str) -> None:
        """Says that the holder of the term is alive."""
        ...

    async def release(self, term: int, holder: str) -> None:
        """Gives the term back: the next one need not wait."""
        ...


class Lease:
    """One instance's side. `holder` is unique to the process; `alone`: nobody else can open the store.

    Alone the first term is for good: nobody else can be acting, so there is nothing to wait for or to renew.
    """

    def __init__(
        self,
        book: LeaseBook,
        holder: str,
        elapsed: Elapsed,
        *,
        ttl_ms: int = TTL_MS,
        alone: bool = False,
    ) -> None:
        self._book = book
        self._holder = holder
        self._elapsed = elapsed
        self._ttl_ms = ttl_ms
        self._valid_ms = ttl_ms - ttl_ms // _MARGIN
        self._alone = alone
        self._term = 0
        self._valid_until: int | None = None

    @property
    def ttl_ms(self) -> int:
        """How long a renewal lasts."""
        return self._ttl_ms

    @property
    def held(self) -> bool:
        """Whether this instance may act at this moment. To be asked right before whatever must not happen twice."""
        return self._valid_until is not None and (self._alone or self._elapsed() < self._valid_until)

    @property
    def term(self) -> int:
        """The term that this instance has, or had last; 0 before its first."""
        return self._term

    async def step(self) -> bool:
        """One turn, to be taken every second or two: renews or takes the lease. Whether it is held.

        Raises `StoreError`.
        """
        if self._alone and self.held:
            return True
        standing = await self._book.read()
        if standing is None or (standing.holder != self._holder and self._free(standing)):
            await self._book.take(1 if standing is None else standing.term + 1, self._holder)
            standing = await self._book.read()
        if standing is None or standing.holder != self._holder or standing.released:
            self._valid_until = None
            return False
        await self._renew(standing.term)
        return self.held

    async def confirm(self, term: int) -> bool:
        """Whether what was recorded in the term before this call counts: no later one has been taken.

        Raises `StoreError`.
        """
        if self._alone:
            return True
        standing = await self._book.read()
        return standing is not None and standing.term == term

    async def release(self) -> None:
        """Gives the lease back, once nothing is under way any more. Raises `StoreError`."""
        if self._valid_until is not None:
            self._valid_until = None
            await self._book.release(self._term, self._holder)

    async def _renew(self, term: int) -> None:
        asked = self._elapsed()
        await self._book.renew(term, self._holder)
        standing = await self._book.read()
        if standing is None or standing.term != term or standing.released:
            self._valid_until = None
        # Once this has held in a term it goes on to hold: what an earlier holder says now is no renewal (rule 2).
        elif self._alone or self._term == term or standing.now - standing.earlier_at >= self._ttl_ms:
            self._term = term
            self._valid_until = asked + self._valid_ms

    def _free(self, standing: Standing) -> bool:
        return self._alone or standing.released or standing.now - standing.renewed_at >= self._ttl_ms
