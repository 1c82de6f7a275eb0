"""Audits on request and on schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from prometheus_client import REGISTRY

from services.audit import service as service_module
from services.audit.audit import AuditStopped
from services.audit.report import Report
from services.audit.scope import DAY_MS, Scope
from services.audit.service import AuditService
from services.common.errors import StoreUnavailable
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from tests.audit.shop import Shop
from tests.support.waiting import until


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"warroom_audit_{name}", labels)


def client(service: AuditService) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(build_app([service])), base_url="http://warroom", timeout=60)


async def stopped(service: AuditService, task: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    await asyncio.wait_for(task, 60)
    assert service.not_ready() is None


async def test_on_request(store: Store) -> None:
    shop = Shop(store)
    shop.trade("spend", "coupons")
    service = AuditService(Settings(), store, clock=lambda: shop.midnight + DAY_MS)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    chosen = {"day": str(shop.day), "topic": shop.prefix, "campaign": shop.campaign}
    async with client(service) as http:
        report = (await http.get("/api/v1/audit", params=chosen)).json()
        assert report["clean"] is True
        assert {each["topic"] for each in report["partitions"]} == {shop.topic("spend"), shop.topic("coupons")}
        shop.delete("spend_events", f"kafka_partition = {shop.partition} AND kafka_offset = 2")
        report = (await http.get("/api/v1/audit", params=chosen)).json()
        assert report["clean"] is False
        assert {check for check, count in report["problems"].items() if count} == {"rows", "rollups"}
        # An hour in which nothing arrived.
        times = {"from": f"{shop.day}T01:00:00Z", "to": f"{shop.day}T02:00:00Z", "topic": shop.prefix}
        report = (await http.get("/api/v1/audit", params={**times, "campaign": "none"})).json()
        assert report["partitions"] == []
        for wrong, field in (({"day": "today"}, "day"), ({"from": "2031-01-02", "to": "2031-01-01"}, "from")):
            answer = await http.get("/api/v1/audit", params=wrong)
            assert answer.status_code == 422
            assert answer.json()["field"] == field
    await stopped(service, task, stop)


class Audits:
    """Stands in for the audit itself: says what it was asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.release = False
        self.failure: Exception | None = None

    def __call__(self, _: Store, scope: Scope, *, now: int, stopped: Callable[[], bool]) -> Report:
        self.scopes.append(scope)
        while not self.release:
            if stopped():
                raise AuditStopped("stopped")
        if self.failure is not None:
            raise self.failure
        return Report(scope.start, scope.end, now)


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> Audits:
    audits = Audits()
    monkeypatch.setattr(service_module, "audit", audits)
    return audits


async def test_one_at_a_time_and_none_outlives_the_service(store: Store, audits: Audits) -> None:
    service = AuditService(Settings(), store)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    async with client(service) as http:
        first = asyncio.create_task(http.get("/api/v1/audit"))
        await until(lambda: len(audits.scopes) == 1)
        second = await http.get("/api/v1/audit")
        assert second.status_code == 409
        assert "one audit" in second.json()["detail"]
        await stopped(service, task, stop)
        assert (await first).status_code == 503
    assert len(audits.scopes) == 1


async def test_on_schedule(store: Store, audits: Audits) -> None:
    midnight = 20_000 * DAY_MS
    now = midnight + 30_000
    service = AuditService(Settings(audit_every_seconds=1), store, clock=lambda: now)
    audits.release = True
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    await until(lambda: len(audits.scopes) == 1)
    assert (audits.scopes[0].start, audits.scopes[0].end) == (midnight, now)
    # Right after midnight the day before is looked at once more.
    now = midnight + DAY_MS + 500
    await until(lambda: len(audits.scopes) == 2)
    assert (audits.scopes[1].start, audits.scopes[1].end) == (midnight, now)
    await until(lambda: gauge("last_run_timestamp_seconds") == now / 1000)
    assert gauge("clean") == 1
    assert gauge("problems", check="rollups") == 0
    # One that fails says nothing new; the next comes all the same.
    audits.failure = StoreUnavailable("away")
    now += 5_000
    await until(lambda: len(audits.scopes) >= 4)
    assert gauge("last_run_timestamp_seconds") == (now - 5_000) / 1000
    await stopped(service, task, stop)


async def test_what_is_found_on_schedule_is_told(store: Store) -> None:
    shop = Shop(store)
    shop.trade("spend")
    shop.block("spend", 1, start=100)
    service = AuditService(Settings(audit_every_seconds=3600), store, clock=lambda: shop.now + 1)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    await until(lambda: gauge("last_run_timestamp_seconds") == (shop.now + 1) / 1000, 60)
    assert gauge("clean") == 0
    assert gauge("problems", check="ranges") == 1
    assert gauge("problems", check="counts") == 0
    await stopped(service, task, stop)
