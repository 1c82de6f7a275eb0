"""Campaigns: declared by PUT, or known only by their events."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from schemas.campaigns import Campaign
from services.common.clock import Clock, floor_minute, to_datetime, to_ms
from services.common.errors import NotFound
from services.common.query.question import Extent, PhaseSpan
from services.common.store import ONE_THREAD, StorePool

_UNDECLARED_ZONE = "Asia/Shanghai"

_DECLARED = f"""
SELECT campaign_id, argMax(body, version) AS body
FROM campaigns
{{where}}
GROUP BY campaign_id{ONE_THREAD}
"""

_SEEN = f"""
SELECT campaign_id, min(first_event) AS first_event, max(last_event) AS last_event
FROM campaign_activity
{{where}}
GROUP BY campaign_id{{order}}{ONE_THREAD}
"""

MOST_LISTED = 10_000
"""Campaigns with events in a list: whoever sends events invents campaigns."""

# First those that somebody declared, then those that began last.
_FIRST = f"""
ORDER BY campaign_id IN (SELECT campaign_id FROM campaigns) DESC, first_event DESC, campaign_id
LIMIT {MOST_LISTED}"""

_ONE = "WHERE campaign_id = {campaign_id:String}"


@dataclass(frozen=True, slots=True)
class KnownCampaign:
    """A campaign with all that questions about it need.

    `declared` is None for one that was never PUT; it starts with its first event. `sent` is the PUT body as it came.
    `currency` is the one that amounts are reported in.
    """

    campaign_id: str
    declared: Campaign | None
    sent: dict[str, Any] | None
    first_event_ms: int | None
    last_event_ms: int | None
    currency: str

    @property
    def start_ms(self) -> int:
        """When it starts, floored to the minute."""
        if self.declared is not None:
            return floor_minute(to_ms(self.declared.start))
        assert self.first_event_ms is not None
        return floor_minute(self.first_event_ms)

    @property
    def extent(self) -> Extent | None:
        """When its events happened; None without any."""
        if self.first_event_ms is None or self.last_event_ms is None:
            return None
        return Extent(self.campaign_id, self.first_event_ms, self.last_event_ms)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its wall clock."""
        return ZoneInfo(self.declared.timezone if self.declared is not None else _UNDECLARED_ZONE)

    @property
    def phases(self) -> tuple[PhaseSpan, ...]:
        """Its phases in whole minutes."""
        if self.declared is None:
            return ()
        return tuple(
            PhaseSpan(phase.name, floor_minute(to_ms(phase.start)), floor_minute(to_ms(phase.end)))
            for phase in self.declared.phases
        )

    def local(self, ms: int) -> datetime:
        """A moment on the campaign's wall clock."""
        return to_datetime(ms).astimezone(self.zone)

    def answer(self, now_ms: int) -> dict[str, Any]:
        """What `GET /api/v1/campaigns/{id}` says: the body as it was PUT, the rest filled with what is in force."""
        if self.declared is None:
            body: dict[str, Any] = {
                "name": self.campaign_id,
                "start": self.local(self.start_ms).isoformat(),
                "end": None,
                "timezone": _UNDECLARED_ZONE,
            }
        else:
            body = dict(self.sent or {})
        defaults: dict[str, Any] = {
            "timezone": self.zone.key,
            "gross_margin": 1,
            "phases": [],
            "targets": {},
            "budgets": {},
            "baseline_campaign_id": None,
            "calendar": [],
            "note": None,
        }
        current = self.declared.phase_at(to_datetime(now_ms)) if self.declared is not None else None
        return {
            "id": self.campaign_id,
            "campaign_id": self.campaign_id,
            **defaults,
            **{key: value for key, value in body.items() if value is not None or key == "end"},
            "currency": self.currency,
            "declared": self.declared is not None,
            "current_phase": current,
        }


class CampaignBook:
    """Reads and writes campaigns."""

    def __init__(self, pool: StorePool, clock: Clock, currency: str) -> None:
        self._pool = pool
        self._clock = clock
        self._currency = currency
        self._last_version = 0

    async def get(self, campaign_id: str) -> KnownCampaign:
        """Raises `NotFound` for a campaign that was neither declared nor seen in any event."""
        parameters = {"campaign_id": campaign_id}
        declared, seen = await asyncio.gather(
            self._pool.query(_DECLARED.format(where=_ONE), parameters),
            self._pool.query(_SEEN.format(where=_ONE, order=""), parameters),
        )
        if not declared and not seen:
            raise NotFound("campaign", campaign_id)
        return self._known(campaign_id, declared[0]["body"] if declared else None, seen[0] if seen else None)

    async def list(self) -> list[KnownCampaign]:
        """Every campaign that was declared, and the latest of the others, the one that started last first."""
        declared = {row["campaign_id"]: row["body"] for row in await self._pool.query(_DECLARED.format(where=""))}
        seen = {row["campaign_id"]: row for row in await self._pool.query(_SEEN.format(where="", order=_FIRST))}
        found = [self._known(name, declared.get(name), seen.get(name)) for name in declared.keys() | seen.keys()]
        return sorted(found, key=lambda campaign: (-campaign.start_ms, campaign.campaign_id))

    async def put(self, campaign_id: str, sent: dict[str, Any]) -> None:
        """Declares a campaign or replaces its declaration. `sent` was validated."""
        now = self._clock()
        # Finer than the clock, so that two changes within a millisecond keep their order.
        self._last_version = max(now * 1000, self._last_version + 1)
        # As rows and not as parameters, of which ClickHouse takes 128 KiB over HTTP: targets may be many.
        row = {
            "campaign_id": pa.array([campaign_id], pa.string()),
            "version": pa.array([self._last_version], pa.uint64()),
            "body": pa.array([json.dumps(sent, ensure_ascii=False)], pa.string()),
            "changed_at": pa.array([now], pa.timestamp("ms", "UTC")),
        }
        await self._pool.insert("campaigns", pa.table(row))

    def _known(self, campaign_id: str, body: str | None, seen: dict[str, Any] | None) -> KnownCampaign:
        sent = json.loads(body) if body is not None else None
        return KnownCampaign(
            campaign_id,
            Campaign.model_validate(sent) if sent is not None else None,
            sent,
            to_ms(seen["first_event"]) if seen else None,
            to_ms(seen["last_event"]) if seen else None,
            self._currency,
        )
