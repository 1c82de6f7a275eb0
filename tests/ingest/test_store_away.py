"""The store fails for a while: the same block is tried again with the same token, and ingest says what is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa
import pytest

from services.common.errors import StoreRejected, StoreUnavailable
from services.common.store import Row, Store
from services.common.store.interface import Parameters
from services.ingest import writer
from services.ingest.service import IngestService
from tests.ingest.harness import produce, record, settings_for, traffic, until_handled
from tests.support.audits import assert_clean
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.waiting import until


class Flaky:
    """The real store, which fails on inserts of events while `failure` is set: before the rows are in, or after."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failure: Exception | None = None
        self.after = False
        self.failed = 0

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        fails = self.failure if table == "traffic_events" else None
        if fails is None or self.after:
            self._store.insert(table, rows, token=token)
        if fails is not None:
            self.failed += 1
            raise fails

    def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        return self._store.query(sql, parameters)

    def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        return self._store.query_arrow(sql, parameters)

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        self._store.command(sql, parameters)

    def slots(self) -> int:
        return self._store.slots()

    def close(self) -> None:
        pass


@pytest.mark.parametrize("after", [False, True], ids=["refuses", "loses its answer"])
@pytest.mark.parametrize(
    "failure", [StoreUnavailable("away"), StoreRejected("no such column")], ids=["away", "rejects"]
)
async def test_nothing_is_dropped_or_doubled(
    broker: KafkaServer, store: Store, monkeypatch: pytest.MonkeyPatch, failure: Exception, after: bool
) -> None:
    monkeypatch.setattr(writer, "_REJECTED_PAUSE", 0.2)
    campaign = fresh_campaign("ingest")
    settings = settings_for(broker)
    flaky = Flaky(store)
    service = IngestService(settings, flaky)
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        await until(lambda: service.not_ready() is None)
        flaky.failure, flaky.after = failure, after
        records = [record("traffic", traffic(campaign, user_id=f"u{number}")) for number in range(500)]
        await produce(settings, records)
        await until(lambda: flaky.failed >= 3)
        reason: Any = service.not_ready()
        assert "cannot be written" in reason
        assert str(failure) in reason
        flaky.failure = None
        await until_handled(store, settings, records)
        await until(lambda: service.not_ready() is None)
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)
    (row,) = store.query(
        "SELECT count() AS n, uniqExact(event_id) AS ids FROM traffic_events WHERE campaign_id = {c:String}",
        {"c": campaign},
    )
    assert (row["n"], row["ids"]) == (500, 500)
    (rollup,) = store.query(
        "SELECT sum(events) AS n FROM traffic_by_minute WHERE campaign_id = {c:String} AND dimension = ''",
        {"c": campaign},
    )
    assert rollup["n"] == 500
    assert_clean(store, settings.topic_prefix, campaign=campaign)
