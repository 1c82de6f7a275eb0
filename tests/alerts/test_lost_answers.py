"""A store that fails in the midst of recording: whether the rows are in or not, one incident stays one."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pytest

from services.alerts.service import AlertsService
from services.common.errors import StoreUnavailable
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.shop import Shop


class Failing:
    """The store, which fails the next insert of transitions when told to: without it, or after it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fails: Literal["before", "after"] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        fails = self.fails if table == "alert_transitions" else None
        if fails is not None:
            self.fails = None
        if fails == "before":
            raise StoreUnavailable("told to fail")
        self._store.insert(table, rows, token=token)
        if fails == "after":
            raise StoreUnavailable("told to lose the answer")


@pytest.mark.parametrize("fails", ["before", "after"])
@pytest.mark.parametrize("dies", [False, True])
async def test_one_incident_is_recorded_once(store: Store, fails: Literal["before", "after"], dies: bool) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences", "alert_pending"):
        store.command(f"TRUNCATE TABLE {table}")
    shop = Shop(store, {})
    shop.report()
    shop.set_stock("sku-1", 100)
    failing: Any = Failing(store)
    service = AlertsService(Settings(), failing, clock=shop.clock)
    await service.restore()

    async def looks(service: AlertsService, count: int) -> AlertsService:
        for _ in range(count):
            shop.now += 1000
            shop.report()
            try:
                await service.look()
            except StoreUnavailable:
                if dies:
                    service = AlertsService(Settings(), failing, clock=shop.clock)
                    await service.restore()
        return service

    for stock, count in ((0, 8), (80, 18)):
        failing.fails = fails
        shop.set_stock("sku-1", stock)
        service = await looks(service, count)
        assert failing.fails is None
    rows = store.query("SELECT alert_id, seq, state, notice FROM alert_transitions ORDER BY seq")
    assert len({row["alert_id"] for row in rows}) == 1
    assert [(row["seq"], row["state"], row["notice"]) for row in rows] == [
        (1, "firing", "firing"),
        (2, "resolved", "resolved"),
    ]
