"""Folds what has arrived, as soon as nothing of it can be missing."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time

import pyarrow as pa

from schemas.metrics import Kind
from services.common import prometheus
from services.common.clock import Clock, to_ms
from services.common.errors import StoreError
from services.common.query.completeness import read_completeness
from services.common.query.folds import TABLES, count_sql, fold_sql
from services.common.store import StorePool
from services.metrics.folding.cells import GRID_MS, MOST_MS, Cell, floor_grid, fold_target, next_cell, short_cells

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
CHECK_SECONDS = 60.0
COMPACT_SECONDS = 300.0
CHECKED_MS = 6 * 3_600_000
"""How far back folds are held against the ledger of ingest."""

_MOST_PAUSE_SECONDS = 60.0

_DONE = "SELECT count() AS folds, max(end) AS done FROM folds WHERE kind = {kind:String}"
_FIRST = "SELECT count() > 0 AS any, min(arrived_at) AS first FROM {table}"
_LATER = (
    "SELECT count() > 0 AS any, min(arrived_at) AS first FROM {table} "
    "WHERE arrived_at >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')"
)
_FOLDED = """
SELECT start, end, rows
FROM folds FINAL
WHERE kind = {kind:String} AND end > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
"""
_ARRIVED = """
SELECT intDiv(toUnixTimestamp64Milli(opened_at), {step:Int64}) * {step:Int64} AS start, sum(ingest_blocks.rows) AS rows
FROM ingest_blocks
WHERE kind = {kind:String} AND opened_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY start
"""
_WHOLE_PARTS = """
SELECT max(found) AS parts
FROM
(
    SELECT count() AS found
    FROM system.parts
    WHERE active AND database = currentDatabase() AND table = 'uniques_by_span' AND partition = '1'
    GROUP BY hostName()
)
"""
_COMPACT = "OPTIMIZE TABLE uniques_by_span PARTITION 1 FINAL"
_MOST_PARTS = 3
_MOMENT = pa.timestamp("ms", "UTC")


class Folder:
    """Folds traffic and orders until told to stop. Several may run at once: what is folded twice changes nothing."""

    def __init__(self, pool: StorePool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Waits out a store that fails. Two instances that are started together drift apart."""
        pause = 0.0
        checked = time.monotonic()
        compacted = -math.inf
        while not stop.is_set():
            try:
                behind = await self.fold_due()
                if time.monotonic() - checked >= CHECK_SECONDS:
                    checked = time.monotonic()
                    await self.mend()
                if not behind and time.monotonic() - compacted >= COMPACT_SECONDS:
                    compacted = time.monotonic()
                    await self._try_to_compact()
                pause = 0.0 if behind else PERIOD_SECONDS
            except Exception as error:
                # Whatever it is, answers stay right without it and only get slower.
                logger.warning(
                    "events not folded",
                    extra={"error": str(error)},
                    exc_info=None if isinstance(error, StoreError) else error,
                )
                pause = min(_MOST_PAUSE_SECONDS, max(PERIOD_SECONDS, pause * 2))
            try:
                await asyncio.wait_for(stop.wait(), pause * random.uniform(0.8, 1.2))
            except TimeoutError:
                continue

    async def fold_due(self) -> bool:
        """Folds at most one cell of each kind; True while more is left."""
        completeness = await read_completeness(self._pool, self._clock())
        behind = False
        for kind in TABLES:
            watermark = completeness.until([kind])
            if watermark is not None:
                behind |= await self._fold_next(kind, fold_target(watermark))
        return behind

    async def _fold_next(self, kind: Kind, target: int) -> bool:
        done = await self._done(kind)
        if done is None or target - done < GRID_MS:
            return False
        counted = {"start": done, "end": min(target, done + MOST_MS), "step": GRID_MS}
        counts = {row["slice"]: row["rows"] for row in await self._pool.query(count_sql(kind), counted)}
        cell = next_cell(done, target, counts)
        if cell is not None and not cell.rows:
            # Nothing for as long as a fold may be: on to where something arrived, be it days later.
            (later,) = await self._pool.query(_LATER.format(table=TABLES[kind]), {"start": done})
            end = min(target, floor_grid(to_ms(later["first"]))) if later["any"] else target
            cell = Cell(done, max(cell.end_ms, end), 0)
        if cell is None:
            return False
        await self._fold(kind, cell, target)
        prometheus.METRICS_FOLD_LAG_SECONDS.labels(kind.value).set((target - cell.end_ms) / 1000)
        return target - cell.end_ms >= GRID_MS

    async def _done(self, kind: Kind) -> int | None:
        (row,) = await self._pool.query(_DONE, {"kind": kind.value})
        if row["folds"]:
            return to_ms(row["done"])
        (first,) = await self._pool.query(_FIRST.format(table=TABLES[kind]))
        return floor_grid(to_ms(first["first"])) if first["any"] else None

    async def _fold(self, kind: Kind, cell: Cell, target: int) -> None:
        if cell.rows:
            for sql in fold_sql(kind):
                await self._pool.command(sql, {"start": cell.start_ms, "end": cell.end_ms})
        row = {
            "kind": pa.array([kind.value], pa.string()),
            "start": pa.array([cell.start_ms], _MOMENT),
            "end": pa.array([cell.end_ms], _MOMENT),
            "target": pa.array([target], _MOMENT),
            "rows": pa.array([cell.rows], pa.uint64()),
            "folded_at": pa.array([self._clock()], _MOMENT),
        }
        await self._pool.insert("folds", pa.table(row))

    async def _try_to_compact(self) -> None:
        try:
            await self.compact()
        except StoreError as error:
            # Merging goes on in the background anyway, and questions only take longer.
            logger.warning("sets of whole campaigns not merged", extra={"error": str(error)})

    async def compact(self) -> None:
        """Merges the sets of whole campaigns into one part where background merges have left more than a few."""
        (found,) = await self._pool.query(_WHOLE_PARTS)
        if found["parts"] > _MOST_PARTS:
            await self._pool.command(_COMPACT)

    async def mend(self) -> None:
        """Folds again where more events have arrived than were found."""
        since = floor_grid(self._clock() - CHECKED_MS)
        for kind in TABLES:
            asked = {"kind": kind.value, "since": since}
            folded = [
                Cell(to_ms(row["start"]), to_ms(row["end"]), row["rows"])
                for row in await self._pool.query(_FOLDED, asked)
            ]
            blocks = await self._pool.query(_ARRIVED, {**asked, "step": GRID_MS})
            for cell in short_cells(folded, {row["start"]: row["rows"] for row in blocks}):
                logger.warning("events arrived where all was folded; folding again", extra={"rows": cell.rows})
                await self._fold(kind, cell, cell.end_ms)
