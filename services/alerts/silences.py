"""Silences: alerts that match one are recorded but not delivered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from services.alerts import queries
from services.alerts.alert import Alert
from services.alerts.hours import hours_of
from services.alerts.matchers import Matcher, all_hold, matcher_of, stated
from services.common.errors import NotFound
from services.common.store import StorePool

_REMEMBER_MS = 24 * 3_600_000
"""Expired silences are shown for so long."""
_MOMENT = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True, slots=True)
class Silence:
    """Mutes alerts in [starts_at, ends_at), epoch milliseconds. All `matchers` must hold.

    With `repeats` (hours, days, timezone) it is a maintenance window, open in these hours alone. `version` counts its
    changes; `ended_by` ended it before its time.
    """

    id: str
    matchers: Mapping[str, Matcher]
    starts_at: int
    ends_at: int
    created_by: str
    comment: str
    created_at: int
    repeats: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    ended_by: str = ""

    def matches(self, alert: Alert) -> bool:
        """Whether every matcher holds for the alert's label of that name; `rule` and `severity` are labels too."""
        labels = {**alert.labels, "rule": alert.rule, "alertname": alert.rule, "severity": alert.severity}
        return all_hold(self.matchers, labels)

    def active(self, now: int) -> bool:
        if not self.starts_at <= now < self.ends_at:
            return False
        hours = hours_of(self.repeats)
        return hours is None or hours.holds(now)

    def state(self, now: int) -> str:
        """`pending`, `active` or `expired`."""
        if self.active(now):
            return "active"
        return "pending" if now < self.ends_at else "expired"

    @property
    def reason(self) -> str:
        """For the timeline of an alert that it mutes."""
        what = "in a maintenance window" if self.repeats else "silenced"
        return f"{what} by {self.created_by}" + (f": {self.comment}" if self.comment else "")


def is_silenced(silences: Iterable[Silence], alert: Alert, now: int) -> str:
    """What mutes the alert at that moment, in words; nothing when nothing does."""
    return next((silence.reason for silence in silences if silence.active(now) and silence.matches(alert)), "")


class SilenceBook:
    """The silences that are in force or to come, in memory and in the store."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool
        self._silences: dict[str, Silence] = {}
        # What is read while a silence is being written may or may not hold it.
        self._changing = asyncio.Lock()

    @property
    def all(self) -> list[Silence]:
        """The newest first."""
        return sorted(self._silences.values(), key=lambda silence: (-silence.created_at, silence.id))

    async def load(self, now: int) -> None:
        """Reads those that have not long expired. Raises `StoreError`."""
        async with self._changing:
            rows = await self._pool.query(queries.SILENCES, {"from": now - _REMEMBER_MS})
            self._silences = {row["silence_id"]: _silence(row) for row in rows}

    async def add(self, silence: Silence, now: int) -> None:
        """A new silence, in force once this returns. Raises `StoreError`."""
        async with self._changing:
            await self._write(silence, now)
            kept = {key: known for key, known in self._silences.items() if known.ends_at >= now - _REMEMBER_MS}
            self._silences = kept | {silence.id: silence}

    async def end(self, silence_id: str, by: str, now: int) -> Silence:
        """Ends a silence at once; one that is over stays as it is. Raises `NotFound` and `StoreError`."""
        async with self._changing:
            silence = self._silences.get(silence_id)
            if silence is None:
                raise NotFound("silence", silence_id)
            if silence.ends_at > now:
                # One that has not begun never does.
                start = min(silence.starts_at, now)
                silence = replace(silence, starts_at=start, ends_at=now, version=silence.version + 1, ended_by=by)
                await self._write(silence, now)
                self._silences = self._silences | {silence.id: silence}
            return silence

    def silenced(self, alert: Alert, now: int) -> str:
        """What mutes the alert at that moment, in words; nothing when nothing does."""
        return is_silenced(self._silences.values(), alert, now)

    async def _write(self, silence: Silence, now: int) -> None:
        matchers = {name: stated(matcher) for name, matcher in silence.matchers.items()}
        row = {
            "silence_id": pa.array([silence.id]),
            "matchers": pa.array([json.dumps(matchers, ensure_ascii=False)]),
            "starts_at": pa.array([silence.starts_at], _MOMENT),
            "ends_at": pa.array([silence.ends_at], _MOMENT),
            "created_by": pa.array([silence.created_by]),
            "comment": pa.array([silence.comment]),
            "created_at": pa.array([silence.created_at], _MOMENT),
            "version": pa.array([silence.version], pa.uint32()),
            "ended_by": pa.array([silence.ended_by]),
            "repeats": pa.array([json.dumps(dict(silence.repeats), ensure_ascii=False)]),
        }
        await self._pool.insert("alert_silences", pa.table(row), token=f"{silence.id}:{silence.version}")


def _silence(row: Mapping[str, Any]) -> Silence:
    return Silence(
        row["silence_id"],
        {name: matcher_of(matcher) for name, matcher in json.loads(row["matchers"]).items()},
        row["starts_at"],
        row["ends_at"],
        row["created_by"],
        row["comment"],
        row["created_at"],
        json.loads(row["repeats"]),
        row["last_version"],
        row["ended_by"],
    )
