"""Answers what concentration rules ask: from the events of a window, and no more often than that is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.alerts.readings import suspects_sql
from services.alerts.readings.suspects import (
    Batch,
    Batches,
    BatchSearch,
    Crowd,
    Deed,
    Point,
    Search,
    Suspect,
    Suspicion,
)
from services.common.people.suspects import Pseudonyms, read_pseudonyms
from services.common.store import Row, StorePool

_LEAST_PACE_MS = 5_000
_WINDOW_SHARE = 120
"""A window is read again after so small a part of it."""
_EVENTS_A_MS = 100
"""And no sooner than its events take to count, many times over: a million of them ten seconds."""
_LOOK_MS = 1_000
HOUR_MS = 3_600_000
GUARD_MS = 300_000

KIND_OF: dict[Deed, str] = {"orders": "orders", "refunds": "orders", "claims": "coupons", "redemptions": "coupons"}
"""The kind of event behind a deed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is asked of one campaign, and when events of each kind last arrived (epoch ms)."""

    searches: Collection[Search | BatchSearch]
    last_arrival: Mapping[str, int]


@dataclass(slots=True)
class Found:
    """The answers about one campaign."""

    suspicions: dict[Search, Suspicion] = field(default_factory=dict)
    batches: dict[BatchSearch, Batches] = field(default_factory=dict)


class Watch:
    """Reads for all campaigns at once. Remembers answers between looks, so one task may use it."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool
        self._names: Pseudonyms | None = None
        self._due: dict[Search | BatchSearch, int] = {}
        self._seen: dict[tuple[str, Search | BatchSearch], int] = {}
        self._suspicions: dict[tuple[str, Search], Suspicion] = {}
        self._batches: dict[tuple[str, BatchSearch], Batches] = {}

    async def read(self, now: int, watched: Mapping[str, Watched]) -> dict[str, Found]:
        """The answers at `now`, epoch ms; those that could not be had yet are absent. Raises `StoreError`."""
        by_search: dict[Search | BatchSearch, list[str]] = {}
        for campaign, one in watched.items():
            for search in one.searches:
                arrival = one.last_arrival.get(KIND_OF[search.deed], 0)
                # What is there can only grow less suspicious while nothing more arrives.
                if arrival and self._seen.get((campaign, search)) != arrival:
                    by_search.setdefault(search, []).append(campaign)
        for search, campaigns in by_search.items():
            new = any((campaign, search) not in self._seen for campaign in campaigns)
            if not new and now < self._due.get(search, 0):
                continue
            if isinstance(search, Search):
                events = await self._search(now, search, campaigns)
            else:
                events = await self._count(now, search, campaigns)
            pace = max(_LEAST_PACE_MS, search.window_ms // _WINDOW_SHARE, events // _EVENTS_A_MS)
            # A little less than a whole number of looks, which never come exactly on time.
            self._due[search] = now + pace - _LOOK_MS // 2
            for campaign in campaigns:
                self._seen[campaign, search] = watched[campaign].last_arrival[KIND_OF[search.deed]]
        self._forget(watched)
        return {campaign: self._found(campaign, one.searches) for campaign, one in watched.items()}

    def _found(self, campaign: str, searches: Iterable[Search | BatchSearch]) -> Found:
        found = Found()
        for search in searches:
            if isinstance(search, Search):
                if (suspicion := self._suspicions.get((campaign, search))) is not None:
                    found.suspicions[search] = suspicion
            elif (batches := self._batches.get((campaign, search))) is not None:
                found.batches[search] = batches
        return found

    def _forget(self, keep: Mapping[str, Watched]) -> None:
        self._seen = {key: value for key, value in self._seen.items() if key[0] in keep}
        self._suspicions = {key: value for key, value in self._suspicions.items() if key[0] in keep}
        self._batches = {key: value for key, value in self._batches.items() if key[0] in keep}

    async def _search(self, now: int, search: Search, campaigns: list[str]) -> int:
        start, end = now - search.window_ms, now + 1000
        rows = await self._pool.query(
            suspects_sql.counts(search.deed),
            {"ids": campaigns, "from": start, "to": end, "least": search.least},
        )
        by_campaign: dict[str, list[Row]] = {campaign: [] for campaign in campaigns}
        for row in rows:
            by_campaign[row["campaign_id"]].append(row)
        told = await asyncio.gather(
            *(self._suspects(campaign, search, start, end, found) for campaign, found in by_campaign.items())
        )
        for (campaign, found), suspects in zip(by_campaign.items(), told, strict=True):
            crowds = {
                row["kind"]: Crowd(
                    dict(zip(*row["histogram"], strict=True)),
                    [suspect for suspect in suspects if suspect.kind == row["kind"]],
                )
                for row in found
            }
            self._suspicions[campaign, search] = Suspicion(crowds, start, now)
        return sum(events * subjects for row in rows for events, subjects in zip(*row["histogram"], strict=True))

    async def _suspects(self, campaign: str, search: Search, start: int, end: int, counts: list[Row]) -> list[Suspect]:
        wanted = {row["kind"]: [identity for _, identity in row["top"]] for row in counts}
        parameters = {
            "id": campaign,
            "from": start,
            "to": end,
            "users": wanted.get("user", []),
            "devices": wanted.get("device", []),
        }
        if not parameters["users"] and not parameters["devices"]:
            return []
        rows = await self._pool.query(suspects_sql.suspects(search.deed), parameters)
        paid = {}
        if search.deed == "refunds":
            for row in await self._pool.query(suspects_sql.PAID, parameters):
                paid[row["kind"], row["identity"]] = row["paid"]
        if self._names is None:
            self._names = await read_pseudonyms(self._pool)
        told = [_suspect(self._names, campaign, row, paid.get((row["kind"], row["identity"]), 0)) for row in rows]
        return sorted(told, key=lambda suspect: (-suspect.count, suspect.kind, suspect.name))

    async def _count(self, now: int, search: BatchSearch, campaigns: list[str]) -> int:
        until = now - max(GUARD_MS, search.window_ms)
        rows = await self._pool.query(
            suspects_sql.batches(search.deed),
            {
                "ids": campaigns,
                "from": until - HOUR_MS,
                "until": until,
                "recent": now - search.window_ms,
                "to": now + 1000,
            },
        )
        found: dict[str, dict[str, Batch]] = {campaign: {} for campaign in campaigns}
        earliest = dict.fromkeys(campaigns, until)
        for row in rows:
            campaign = row["campaign_id"]
            earliest[campaign] = min(earliest[campaign], row["earliest"])
            found[campaign][row["batch"]] = Batch(
                row["recent_events"],
                row["before_events"],
                row["people"],
                row["devices"],
                row["amount"],
                row["first"],
                until - row["earliest"],
            )
        for campaign, batches in found.items():
            self._batches[campaign, search] = Batches(batches, until - earliest[campaign], now)
        return sum(row["recent_events"] + row["before_events"] for row in rows)


def _suspect(names: Pseudonyms, campaign: str, row: Row, paid: int) -> Suspect:
    kind = row["kind"]
    other = "device" if kind == "user" else "user"
    alone = row["others"] == 1 and row["other"] != ""
    return Suspect(
        kind=kind,
        name=names.name(campaign, kind, row["identity"]),
        count=row["events"],
        others=row["others"],
        partner=names.name(campaign, other, row["other"]) if alone else "",
        amount=row["amount"],
        first=row["first"],
        last=row["last"],
        paid=paid,
        points=[Point(*point) for point in reversed(row["points"])],
    )
