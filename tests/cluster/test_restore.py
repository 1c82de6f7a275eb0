"""A backup is restored elsewhere while Kafka has gone on: the store comes to hold every record once."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from services.common.store import Store
from services.common.store.migrate import migrate
from services.ingest.rewind import ends_of, rewind
from services.ingest.service import IngestService
from tests.ingest.harness import Record, order, produce, record, settings_for, traffic, until_handled
from tests.support.audits import assert_clean
from tests.support.broker import Broker
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.store import fresh_campaign
from tests.support.waiting import until

BACKUP = "BACKUP DATABASE default, DATABASE default_shard ON CLUSTER 'war' TO File('{to}')"
RESTORE = "RESTORE DATABASE default, DATABASE default_shard ON CLUSTER 'war' FROM File('{to}')"


@pytest.mark.system
@pytest.mark.timeout(600)
async def test_what_came_after_the_backup_is_read_again_and_nothing_twice(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    campaign = fresh_campaign("restore")
    settings = settings_for(embedded_broker)
    older = _records(campaign, 0, 300)
    newer = _records(campaign, 300, 500)
    with running_endpoint(tmp_path / "first", shards=1) as endpoint:
        store = endpoint.store()
        migrate(store)
        async with _Ingest(settings, store):
            await produce(settings, older)
            await until_handled(store, settings, older)
        # As it is in a backup; the service is stopped, so that all tables are of one moment.
        store._servers.command(BACKUP.format(to=tmp_path / "first" / "backups" / "one"))  # type: ignore[attr-defined]
        async with _Ingest(settings, store):
            await produce(settings, newer)
            await until_handled(store, settings, older + newer)
        store.close()
    shutil.copytree(tmp_path / "first" / "backups", tmp_path / "second" / "backups")
    with running_endpoint(tmp_path / "second", shards=1) as endpoint:
        store = endpoint.store()
        store._servers.command(RESTORE.format(to=tmp_path / "second" / "backups" / "one"))  # type: ignore[attr-defined]
        assert migrate(store) == []
        assert _counts(store, campaign) == (300, 300, 300)
        moved = await rewind(settings, ends_of(store, settings))
        assert any(each.before is not None and each.after < each.before for each in moved), moved
        async with _Ingest(settings, store):
            await until_handled(store, settings, older + newer)
        assert _counts(store, campaign) == (500, 500, 500)
        await asyncio.to_thread(assert_clean, store, settings.topic_prefix, campaign=campaign)
        store.close()


def _records(campaign: str, first: int, last: int) -> list[Record]:
    return [
        record("traffic", traffic(campaign, event_id=f"e{n}", user_id=f"u{n % 50}"))
        if n % 3
        else record("orders", order(campaign, event_id=f"e{n}", user_id=f"u{n % 50}"))
        for n in range(first, last)
    ]


def _counts(store: Store, campaign: str) -> tuple[int, int, int]:
    (row,) = store.query(
        """
        SELECT
            (SELECT count() FROM traffic_events WHERE campaign_id = {c:String})
                + (SELECT count() FROM order_events WHERE campaign_id = {c:String}) AS events,
            (SELECT sum(t.events) FROM traffic_by_minute AS t WHERE campaign_id = {c:String} AND dimension = '')
                + (
                    SELECT sum(o.orders_paid) FROM orders_by_minute AS o
                    WHERE campaign_id = {c:String} AND dimension = ''
                ) AS rolled_up,
            (SELECT sum(b.rows) FROM ingest_blocks AS b) AS recorded
        """,
        {"c": campaign},
    )
    return row["events"], row["rolled_up"], row["recorded"]


class _Ingest:
    """Ingest for the length of a block, stopped in order."""

    def __init__(self, settings: object, store: Store) -> None:
        self._service = IngestService(settings, store)  # type: ignore[arg-type]
        self._stop = asyncio.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._service.run(self._stop))
        await until(lambda: self._service.not_ready() is None, 60)

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.wait_for(self._task, 30)
