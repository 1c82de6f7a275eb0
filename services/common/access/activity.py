"""The activity log: who did what, to what, and what became of it. No address of a person is kept.

Each entry is a row of the table `activity`. Whoever acted waits a moment for it, and is answered even when the store
does not take it: that an alert can be acknowledged must not hang on it. It is tried again until the store does. An
entry that cannot be kept for it (more than `MOST_WAITING`, or the process ends) is written whole into the process's
log, which otherwise names no person, and `warroom_activity_lost_total` counts it. A process that is killed while the
store is away loses what waits.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from services.common import prometheus
from services.common.access.roles import Principal
from services.common.clock import Clock, to_ms, wall_clock
from services.common.errors import StoreError
from services.common.store import Store, StorePool

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
MOST_AT_ONCE: Final = 1_000
CONFIRM_SECONDS: Final = 2.0
"""How long the answer to an action waits for its row."""

SAME_REFUSAL_MS: Final = 60_000
"""The same refusal is written once in so long: who guesses keys must not fill the disk."""

_MOST_REFUSALS: Final = 1_000
_STOP_SECONDS = 3.0
_LONGEST_PAUSE_SECONDS = 30.0
_TEXT = ("id", "actor", "subject", "role", "how", "action", "campaign_id", "target", "result", "detail")

_PAGE = """
SELECT
    id,
    at,
    actor,
    subject,
    toString(role) AS role,
    toString(how) AS how,
    toString(action) AS action,
    campaign_id,
    target,
    toString(result) AS result,
    detail
FROM activity
WHERE ({action:String} = '' OR action = {action:String})
    AND ({actor:String} = '' OR actor = {actor:String})
    AND ({campaign_id:String} = '' OR activity.campaign_id = {campaign_id:String})
    AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
ORDER BY at DESC, id DESC
LIMIT {limit:UInt32}
"""


_SIGNED_OUT = """
SELECT
    target,
    at
FROM activity
WHERE action = 'sign_out'
    AND result = 'done'
    AND target != ''
    AND at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that somebody did or tried.

    `at_ms` is epoch milliseconds; `target` is what it was done to (an alert's id, a path); `result` is `done`,
    `refused` or `failed`; `detail` is JSON and says what changed.
    """

    at_ms: int
    actor: str
    role: str
    how: str
    action: str
    result: str = "done"
    subject: str = ""
    campaign_id: str = ""
    target: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


def activity_of(
    principal: Principal | None,
    action: str,
    at_ms: int,
    *,
    result: str = "done",
    campaign_id: str = "",
    target: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Activity:
    """What a principal did; None is nobody that is known."""
    return Activity(
        at_ms,
        principal.name if principal else "",
        principal.role.word if principal and principal.role else "",
        principal.how.value if principal else "",
        action,
        result,
        principal.subject if principal else "",
        campaign_id,
        target,
        detail or {},
    )


def record(store: Store, activity: Activity) -> None:
    """Writes one entry at once, for commands that have no loop. Blocks; raises `StoreError`."""
    _tell(activity)
    store.insert("activity", _rows([activity]), token=activity.id)


class ActivityLog:
    """Writes entries to the store, in order and each once. Without a store, they are in the process's log alone."""

    def __init__(self, store: Store | None, clock: Clock = wall_clock) -> None:
        self._pool = StorePool(store, threads=1, name="activity") if store is not None else None
        self._clock = clock
        self._waiting: deque[tuple[Activity, asyncio.Future[None]]] = deque()
        self._refused: dict[tuple[str, ...], int] = {}
        self._some = asyncio.Event()
        self._running = False

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return self._clock()

    def put(self, activity: Activity) -> asyncio.Future[None] | None:
        """Takes an entry; the future is done when it is in the table. None where it will not be."""
        _tell(activity)
        if self._pool is None or not self._running:
            return None
        if len(self._waiting) >= MOST_WAITING:
            _lose(activity)
            return None
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((activity, written))
        self._some.set()
        return written

    async def confirm(self, activity: Activity) -> None:
        """Takes an entry, and waits a moment until it is in the table."""
        written = self.put(activity)
        if written is not None:
            # Not cancelled when time is up: the writer goes on with it.
            await asyncio.wait([written], timeout=CONFIRM_SECONDS)

    def refuse(self, activity: Activity) -> None:
        """Takes a refusal, unless the same one was taken within the last minute."""
        name = (activity.actor, activity.action, activity.campaign_id, str(activity.detail.get("reason", "")))
        if activity.at_ms - self._refused.get(name, -SAME_REFUSAL_MS) < SAME_REFUSAL_MS:
            return
        if len(self._refused) >= _MOST_REFUSALS:
            self._refused = {known: at for known, at in self._refused.items() if activity.at_ms - at < SAME_REFUSAL_MS}
            if len(self._refused) >= _MOST_REFUSALS:
                _lose(activity)
                return
        self._refused[name] = activity.at_ms
        self.put(activity)

    async def page(
        self, *, action: str, actor: str, campaign_id: str, from_ms: int, to_ms: int, limit: int
    ) -> list[dict[str, Any]]:
        """The newest entries of a time; empty texts ask for all. Raises `StoreError`."""
        if self._pool is None:
            return []
        rows = await self._pool.query(
            _PAGE,
            {
                "action": action, "actor": actor, "campaign_id": campaign_id,
                "from": from_ms, "to": to_ms, "limit": limit,
            },
        )  # fmt: skip
        return [{**row, "detail": json.loads(row["detail"] or "{}")} for row in rows]

    async def signed_out(self, since_ms: int) -> list[tuple[str, int]]:
        """The ids of sessions that were signed out of, each with when, in epoch milliseconds. Raises `StoreError`."""
        if self._pool is None:
            return []
        rows = await self._pool.query(_SIGNED_OUT, {"from": since_ms})
        return [(row["target"], to_ms(row["at"])) for row in rows]

    async def run(self, stop: asyncio.Event) -> None:
        """Writes until told to stop, then a moment longer for what waits."""
        self._running = True
        writing = asyncio.create_task(self._write(), name="activity-writer")
        try:
            await stop.wait()
            self._running = False
            if self._waiting:
                await asyncio.wait([self._waiting[-1][1]], timeout=_STOP_SECONDS)
        finally:
            self._running = False
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            for activity, _ in self._waiting:
                _lose(activity)
            if self._pool is not None:
                await self._pool.close()

    async def _write(self) -> None:
        assert self._pool is not None
        while True:
            await self._some.wait()
            batch = [self._waiting[place] for place in range(min(len(self._waiting), MOST_AT_ONCE))]
            if not batch:
                self._some.clear()
                continue
            await self._insert([activity for activity, _ in batch])
            for _, written in batch:
                self._waiting.popleft()
                if not written.done():
                    written.set_result(None)

    async def _insert(self, entries: list[Activity]) -> None:
        """Returns when they are in the table, however long that takes."""
        assert self._pool is not None
        rows = _rows(entries)
        # The same entries again have the same token: an insert whose answer was lost is not done twice.
        token = hashlib.sha256(",".join(entry.id for entry in entries).encode()).hexdigest()
        failures = 0
        while True:
            try:
                await self._pool.insert("activity", rows, token=token)
            except StoreError as error:
                failures += 1
                if failures == 1:
                    logger.error("activity is not written; it is tried again", extra={"error": str(error)})
                await asyncio.sleep(min(0.25 * 2.0**failures, _LONGEST_PAUSE_SECONDS) * random.uniform(0.5, 1))
            else:
                return


def _rows(entries: list[Activity]) -> pa.Table:
    texts = [
        {
            **{name: str(getattr(entry, name)) for name in _TEXT if name != "detail"},
            "detail": json.dumps(dict(entry.detail), ensure_ascii=False, sort_keys=True, default=str),
        }
        for entry in entries
    ]
    columns: dict[str, Any] = {name: pa.array([row[name] for row in texts], pa.string()) for name in _TEXT}
    columns["at"] = pa.array([entry.at_ms for entry in entries], pa.timestamp("ms", tz="UTC"))
    return pa.table(columns)


def _tell(activity: Activity) -> None:
    names = ("id", "role", "how", "action", "result", "campaign_id", "target")
    logger.info("activity", extra={f"activity_{name}": getattr(activity, name) for name in names})


def _lose(activity: Activity) -> None:
    prometheus.ACTIVITY_LOST.inc()
    entry = {name: getattr(activity, name) for name in (*_TEXT, "at_ms")}
    logger.error("activity is in this log alone", extra={"activity": entry})
