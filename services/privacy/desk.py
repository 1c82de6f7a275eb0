"""What is done for people, with an entry in the activity log for each act."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.common.access.activity import Activity, record
from services.common.clock import Clock
from services.common.errors import Busy
from services.common.settings import Settings
from services.common.store import Store
from services.privacy.erase import erase, erase_again
from services.privacy.export import export
from services.privacy.people import find_keys


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, as the activity log has it."""

    name: str
    how: str
    role: str = ""
    subject: str = ""


class Desk:
    """Erases and exports in one store. Without an `actor` the caller sees to the activity log.

    Calls block; raise `StoreError`, `ConfigurationError`, `InvalidRequest`.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock, older: Sequence[Path] = ()) -> None:
        """`older` are files of keys that were in force before."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._older = older

    def erase(self, user_ids: Sequence[str], actor: Actor | None) -> dict[str, Any]:
        """What was changed, and what is left elsewhere."""
        keys = find_keys(self._store, self._settings, self._older)
        people = [keys.person(user_id) for user_id in dict.fromkeys(user_ids)]
        done = asdict(erase(self._store, people, keys))
        self._note("privacy.erase", actor, {"people": len(people), "rows": done["rows"], "letters": done["letters"]})
        return done

    def erase_again(self, actor: Actor | None) -> dict[str, Any]:
        """The same for all who were erased before."""
        done = asdict(erase_again(self._store, find_keys(self._store, self._settings, self._older)))
        self._note("privacy.erase_again", actor, {"names": done["names"], "rows": done["rows"]})
        return done

    def export(self, user_id: str, actor: Actor | None) -> Iterator[dict[str, Any]]:
        """As `export`. The entry in the log comes first: who asks is told even when they go before the end."""
        keys = find_keys(self._store, self._settings, self._older)
        person = keys.person(user_id)
        self._note("privacy.export", actor, {"people": 1})
        return export(self._store, person, keys)

    def _note(self, action: str, actor: Actor | None, detail: dict[str, Any]) -> None:
        if actor is None:
            return
        # Whom it was done to is not told: the log would name those who wished to be forgotten.
        record(
            self._store,
            Activity(self._clock(), actor.name, actor.role, actor.how, action, subject=actor.subject, detail=detail),
        )


class OneAtATime:
    """Lets one caller in, and tells the others to come again."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        if self._lock.locked():
            raise Busy("another erasure or export runs; the same call may succeed in a moment")
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
