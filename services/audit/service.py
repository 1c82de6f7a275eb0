"""Audits on request and on schedule, beside what it audits."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.audit.audit import AuditStopped, audit
from services.audit.period import period, today
from services.audit.report import Check, Report
from services.audit.scope import Scope
from services.common import prometheus
from services.common.clock import Clock, wall_clock
from services.common.errors import StoreError, StoreUnavailable
from services.common.problems import problem
from services.common.settings import Settings
from services.common.store import Store

logger = logging.getLogger(__name__)

HOUR_MS = 3_600_000

_Moment = "RFC 3339, or a date in UTC"


class AuditService:
    """One audit at a time. Implements `services.common.service.Service`."""

    name = "audit"

    def __init__(self, settings: Settings, store: Store, *, clock: Clock = wall_clock) -> None:
        self._store = store
        self._clock = clock
        self._every = settings.audit_every_seconds
        self._horizon_ms = settings.duplicate_horizon_hours * HOUR_MS
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._busy = asyncio.Lock()
        self._stopping = False
        self.router = self._routes()

    def not_ready(self) -> str | None:
        """Always ready: that the last audit found something, or failed, is told by the metrics."""
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Audits every `WARROOM_AUDIT_EVERY_SECONDS` until told to stop; an audit that runs then is given up."""
        try:
            while not stop.is_set():
                if self._every:
                    await self._scheduled(stop)
                try:
                    async with asyncio.timeout(self._every or None):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            self._stopping = True
            await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    async def _scheduled(self, stop: asyncio.Event) -> None:
        start, end = today(self._clock(), self._every * 1000)
        task = asyncio.create_task(self._audit(Scope(start, end, self._horizon_ms)), name="audit-scheduled")
        waiter = asyncio.create_task(stop.wait(), name="audit-stop")
        try:
            await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
            self._stopping = stop.is_set()
            report = await task
        except AuditStopped:
            return
        except StoreError as error:
            logger.warning("audit failed", extra={"error": str(error)})
            return
        finally:
            waiter.cancel()
        tell(report)

    async def _audit(self, scope: Scope) -> Report:
        async with self._busy:
            started = time.perf_counter()
            report = await asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: audit(self._store, scope, now=self._clock(), stopped=lambda: self._stopping)
            )
            prometheus.AUDIT_SECONDS.set(time.perf_counter() - started)
            return report

    def _routes(self) -> APIRouter:
        router = APIRouter(prefix="/api/v1", tags=["audit"])

        @router.get("/audit", summary="Proves a period of arrival; takes seconds to minutes, one at a time")
        async def run_audit(
            start: Annotated[str | None, Query(alias="from", description=f"{_Moment}; default a day before to")] = None,
            end: Annotated[str | None, Query(alias="to", description=f"{_Moment}; default now")] = None,
            day: Annotated[str | None, Query(description="a day of arrival in UTC, YYYY-MM-DD")] = None,
            topic: Annotated[list[str] | None, Query(description="topics, or beginnings of their names")] = None,
            campaign: Annotated[str | None, Query(description="narrows the rollups to one campaign")] = None,
        ) -> Any:
            if self._busy.locked():
                return _busy()
            now = self._clock()
            begins, ends = period(start, end, day, now + 1)
            try:
                report = await self._audit(Scope(begins, ends, self._horizon_ms, tuple(topic or ()), campaign))
            except AuditStopped as error:
                raise StoreUnavailable(str(error)) from error
            return report.to_json()

        return router


def tell(report: Report) -> None:
    """Says in the log and in Prometheus what an audit on schedule found."""
    for check in Check:
        prometheus.AUDIT_PROBLEMS.labels(check.value).set(report.counts[check])
    prometheus.AUDIT_CLEAN.set(report.clean)
    prometheus.AUDIT_LAST_RUN.set(report.at / 1000)
    if report.clean:
        logger.info("audit clean", extra={"blocks": sum(lane.blocks for lane in report.lanes)})
    for found in report.problems:
        logger.error(
            "audit found a problem", extra={"check": found.check.value, "place": found.where, "found": found.detail}
        )


def _busy() -> Response:
    return problem(409, "An audit is running", "one audit runs at a time; ask again when it has ended")
