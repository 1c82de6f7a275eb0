"""Sends letters back to their topics, each once. docs/dead-letters.md states the protocol and what it assumes."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.common.clock import Clock
from services.common.errors import BrokerError, ConfigurationError, InvalidRequest, NotFound, StoreError
from services.common.letters.book import LetterBook
from services.common.letters.fix import Fix
from services.common.letters.ledger import Intent, RedriveLedger
from services.common.letters.letter import Cursor, Letter, Selection
from services.common.letters.place import Place
from services.common.letters.settle import Fate, settle
from services.common.letters.transaction import Dispatch, Message
from services.common.letters.trial import Trial
from services.common.settings import Settings
from services.common.store import StorePool

logger = logging.getLogger(__name__)

MOST_LETTERS = 1_000
"""Letters that one call looks at."""

_BATCH_LETTERS = 500
_BATCH_BYTES = 8 << 20
_STORE_TRIES = 8
_FIRST_PAUSE = 0.1


class Outcome(StrEnum):
    """What became of a letter in one call."""

    SENT = "sent"
    ACCEPTABLE = "acceptable"
    """Of a dry run: it would be sent."""
    ALREADY = "already redriven"
    REFUSED = "would be refused again"
    UNKNOWN = "unknown"
    """An earlier redrive of it was cut off, and Kafka no longer tells how that ended."""
    IMPOSSIBLE = "cannot be sent"


@dataclass(frozen=True, slots=True)
class Result:
    """One letter's outcome; `detail` says why where it was not sent."""

    letter: Letter
    outcome: Outcome
    detail: str = ""
    destination: Place | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Which letters to send back, and how. Either `places` or `selection`; a fix takes exactly one place.

    `after` continues a selection behind the letter where the call before ended. `force` sends what would be refused
    again or whose fate is unknown; it never sends a letter a second time that is known to have gone.
    """

    places: Sequence[Place] = ()
    selection: Selection | None = None
    after: Cursor | None = None
    limit: int = MOST_LETTERS
    fix: Fix = field(default_factory=Fix)
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a call did; `next` is where the next call of the same selection goes on, None at its end."""

    results: list[Result]
    next: Cursor | None


class Redriver:
    """Sends letters back. Calls of one instance run one after the other; of several, the latest goes on alone."""

    def __init__(
        self,
        settings: Settings,
        pool: StorePool,
        clock: Clock,
        dispatch: Callable[[Settings], Dispatch] = Dispatch,
    ) -> None:
        self._settings = settings
        self._book = LetterBook(pool)
        self._ledger = RedriveLedger(pool, settings.topics.values())
        self._trial = Trial(settings)
        self._clock = clock
        self._make = dispatch
        self._lock = asyncio.Lock()

    async def redrive(self, request: Request) -> Report:
        """Raises `InvalidRequest`, `NotFound`, `StoreError` and `BrokerError`; the same call may then be repeated."""
        _check(request)
        if request.dry_run:
            letters = await self._chosen(request)
            return await self._run(request, letters, None, await self._ledger.unknown())
        if self._settings.kafka_bootstrap_servers is None:
            raise ConfigurationError("set WARROOM_KAFKA_BOOTSTRAP_SERVERS to the Kafka that letters are sent back to")
        async with self._lock:
            dispatch = self._make(self._settings)
            try:
                # Nobody before us can commit from here on, so what is read now is how it stays.
                await self._settle(dispatch, await dispatch.open())
                unknown = await self._ledger.unknown()
                letters = await self._chosen(request)
                return await self._run(request, letters, dispatch, unknown)
            finally:
                await dispatch.close()

    async def _settle(self, dispatch: Dispatch, committed: str | None) -> None:
        """Writes down what became of batches that were cut off."""
        unsettled = await self._ledger.unsettled()
        for batch, fate in settle(unsettled, committed).items():
            intents = unsettled[batch]
            logger.warning("redrive that was cut off is settled", extra={"letters": len(intents), "outcome": fate})
            await self._ledger.write(batch, fate, intents, self._clock())
        if committed is None:
            # So that a missing name never means that there was no batch yet.
            await dispatch.commit("none")

    async def _chosen(self, request: Request) -> list[Letter]:
        if request.selection is not None:
            return await self._book.page(
                request.selection,
                limit=min(request.limit, MOST_LETTERS),
                after=request.after,
                # In the order in which they came: of two events with one id the first counts.
                newest_first=False,
            )
        letters = []
        for place in dict.fromkeys(request.places):
            found = await self._book.find(place)
            if not found:
                raise NotFound("dead letter", str(place))
            letters.append(found[0])
        return letters

    async def _run(
        self, request: Request, letters: list[Letter], dispatch: Dispatch | None, unknown: set[tuple[Place, int]]
    ) -> Report:
        results: list[Result] = []
        for batch in _batches(letters):
            values = await self._book.values([letter for letter in batch if letter.redriven_at is None])
            judged = [self._judged(request, letter, values, unknown) for letter in batch]
            messages = {result.letter.identity: message for result, message in judged if message is not None}
            sent = await self._send(dispatch, batch, messages, request) if dispatch and messages else {}
            for result, _ in judged:
                gone = sent.get(result.letter.identity)
                results.append(Result(result.letter, Outcome.SENT, "", gone) if gone else result)
            await asyncio.sleep(0)
        whole = request.selection is not None and len(letters) == min(request.limit, MOST_LETTERS)
        return Report(results, Cursor.of(letters[-1]) if whole else None)

    def _judged(
        self,
        request: Request,
        letter: Letter,
        values: dict[tuple[Place, int], bytes],
        unknown: set[tuple[Place, int]],
    ) -> tuple[Result, Message | None]:
        if letter.redriven_at is not None:
            detail = "where it stands now, ingest has judged it anew: a second refusal is a letter of its own"
            return Result(letter, Outcome.ALREADY, detail, letter.redriven_to), None
        if letter.identity in unknown and not request.force:
            detail = f"look for its event near the end of {letter.place.topic}; --force sends it, perhaps a second time"
            return Result(letter, Outcome.UNKNOWN, detail), None
        if not self._trial.knows(letter.place.topic):
            return Result(letter, Outcome.IMPOSSIBLE, f"{letter.place.topic} is no topic of these settings"), None
        value = request.fix.apply(values[letter.identity])
        if not value:
            return Result(letter, Outcome.IMPOSSIBLE, "the record has no value; give one with --file"), None
        refused = self._trial.refusal(letter.place.topic, value, self._clock())
        if refused is not None and not request.force:
            return Result(letter, Outcome.REFUSED, str(refused)), None
        detail = "" if refused is None else f"by force, though it will be refused: {refused}"
        return Result(letter, Outcome.ACCEPTABLE, detail), Message(letter.place, letter.key_bytes, value)

    async def _send(
        self,
        dispatch: Dispatch,
        letters: Sequence[Letter],
        messages: dict[tuple[Place, int], Message],
        request: Request,
    ) -> dict[tuple[Place, int], Place]:
        going = [letter for letter in letters if letter.identity in messages]
        places = await dispatch.send([messages[letter.identity] for letter in going])
        batch = uuid.uuid4().hex
        intents = [
            Intent.of(letter, place, changed=request.fix.changes) for letter, place in zip(going, places, strict=True)
        ]
        await self._ledger.write(batch, "intended", intents, self._clock())
        await dispatch.commit(batch)
        await self._write_done(batch, intents)
        logger.info("dead letters redriven", extra={"letters": len(intents)})
        return {intent.identity: intent.destination for intent in intents}

    async def _write_done(self, batch: str, intents: Sequence[Intent]) -> None:
        pause = _FIRST_PAUSE
        for left in reversed(range(_STORE_TRIES)):
            try:
                await self._ledger.write(batch, Fate.DONE, intents, self._clock())
                return
            except StoreError as error:
                if not left:
                    raise BrokerError(
                        f"{len(intents)} letters were sent, but the store does not take that down ({error}); "
                        "run the command again, which will not send them twice"
                    ) from error
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause *= 2


def _check(request: Request) -> None:
    if bool(request.places) == (request.selection is not None):
        raise InvalidRequest("letters", "name the letters, or select them by reason, topic or time")
    if request.fix.changes and len(request.places) != 1:
        raise InvalidRequest("set", "a record can be changed for one letter at a time; name that letter")
    if len(request.places) > MOST_LETTERS:
        raise InvalidRequest("letters", f"at most {MOST_LETTERS} in one call")


def _batches(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    batch: list[Letter] = []
    size = 0
    for letter in letters:
        if batch and (len(batch) >= _BATCH_LETTERS or size + letter.value_bytes > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(letter)
        size += letter.value_bytes
    if batch:
        yield batch
