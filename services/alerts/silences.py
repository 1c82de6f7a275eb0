"""Silences: alerts that match one are recorded but not delivered."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from services.alerts import queries
from services.alerts.alert import Alert
from services.common.store import StorePool

_REMEMBER_MS = 24 * 3_600_000
"""Expired silences are shown for so long."""
_MOMENT = pa.timestamp("ms", tz="UTC")


@dataclass(frozen=True, slots=True)
class Silence:
    """Mutes alerts in [starts_at, ends_at), epoch milliseconds. All `matchers` must hold."""

    id: str
    matchers: Mapping[str, str]
    starts_at: int
    ends_at: int
    created_by: str
    comment: str
    created_at: int

    def matches(self, alert: Alert) -> bool:
        """Whether every matcher equals the alert's label of that name; `rule` and `severity` are labels too."""
        labels = {**alert.labels, "rule": alert.rule, "alertname": alert.rule, "severity": alert.severity}
        return all(labels.get(name) == value for name, value in self.matchers.items())

    def active(self, now: int) -> bool:
        return self.starts_at <= now < self.ends_at

    def state(self, now: int) -> str:
        """`pending`, `active` or `expired`."""
        if now < self.starts_at:
            return "pending"
        return "active" if now < self.ends_at else "expired"


def is_silenced(silences: Iterable[Silence], alert: Alert, now: int) -> bool:
    """Whether any silence mutes the alert at that moment."""
    return any(silence.active(now) and silence.matches(alert) for silence in silences)


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

    async def add(
        self, matchers: Mapping[str, str], starts_at: int, ends_at: int, created_by: str, comment: str, now: int
    ) -> Silence:
        """A new silence, in force once this returns. Raises `StoreError`."""
        silence = Silence(uuid.uuid4().hex, dict(matchers), starts_at, ends_at, created_by, comment, now)
        row = {
            "silence_id": pa.array([silence.id]),
            "matchers": pa.array([json.dumps(silence.matchers, ensure_ascii=False)]),
            "starts_at": pa.array([starts_at], _MOMENT),
            "ends_at": pa.array([ends_at], _MOMENT),
            "created_by": pa.array([created_by]),
            "comment": pa.array([comment]),
            "created_at": pa.array([now], _MOMENT),
        }
        async with self._changing:
            await self._pool.insert("alert_silences", pa.table(row), token=silence.id)
            kept = {key: known for key, known in self._silences.items() if known.ends_at >= now - _REMEMBER_MS}
            self._silences = kept | {silence.id: silence}
        return silence

    def silenced(self, alert: Alert, now: int) -> bool:
        return is_silenced(self._silences.values(), alert, now)


def _silence(row: Mapping[str, Any]) -> Silence:
    return Silence(
        row["silence_id"],
        json.loads(row["matchers"]),
        row["starts_at"],
        row["ends_at"],
        row["created_by"],
        row["comment"],
        row["created_at"],
    )
