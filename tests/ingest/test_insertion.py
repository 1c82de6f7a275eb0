"""Rows that the store has lost although it remembers their token, as after a kill between the two."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from services.common.decode import Decoder
from services.common.store import Store, StorePool
from services.common.store.migrate import migrate
from services.ingest.columns import batch, columns_of, moment
from services.ingest.insertion import Insertion, StoreTables
from tests.ingest.harness import traffic
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint

ARRIVED = 1_762_800_000_123
ROLLUPS = ("traffic_by_minute", "pulse_by_second", "campaign_activity")


@dataclass
class Killed:
    """An endpoint that is killed in the middle of an insert."""

    endpoint: Endpoint
    store: Store

    def lose_part(self, table: str) -> None:
        """What a kill leaves behind between the token and the part: the views had not been reached either."""
        paths = {
            each["table"]: Path(each["path"])
            for each in self.store.query(
                "SELECT table, path FROM system.parts WHERE active AND database = currentDatabase() AND rows > 0"
            )
        }
        self.endpoint.kill()
        shutil.rmtree(paths[table])
        for rollup in ROLLUPS if table == "traffic_events" else ():
            shutil.rmtree(paths[rollup])
            for log in (paths[rollup].parent / "deduplication_logs").iterdir():
                log.write_text("")
        self.endpoint.start()

    def counts(self) -> dict[str, int]:
        (row,) = self.store.query(
            """
            SELECT
                (SELECT count() FROM traffic_events) AS events,
                (SELECT sum(events) FROM traffic_by_minute WHERE dimension = '') AS by_minute,
                (SELECT sum(events) FROM pulse_by_second) AS by_second,
                (SELECT count() FROM ingest_blocks) AS blocks
            """
        )
        return row


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Killed]:
    with running_endpoint(tmp_path) as endpoint:
        store = endpoint.store(timeout_seconds=10)
        migrate(store)
        yield Killed(endpoint, store)
        store.close()


def views(count: int) -> pa.Table:
    decode = Decoder("traffic", {"CNY": Decimal(1)}).decode
    events = [decode(json.dumps(traffic("c")).encode(), int(time.time() * 1000)) for _ in range(count)]
    offsets = pa.array(range(count), pa.uint64()).to_numpy()
    return pa.Table.from_batches([batch(columns_of("traffic", events), offsets, 3, ARRIVED)])


def block(offset: int) -> pa.Table:
    return pa.table(
        {
            "topic": ["t"],
            "kafka_partition": pa.array([3], pa.uint16()),
            "kind": ["traffic"],
            "opened_at": moment(ARRIVED, 1),
            "start_offset": pa.array([offset], pa.uint64()),
        }
    )


@pytest.mark.parametrize("table", ["traffic_events", "ingest_blocks"])
async def test_lost_rows_are_attached_and_count_once(killed: Killed, table: str) -> None:
    """To believe the token would leave the rows out; another token would count them twice in the rollups."""
    rows = {"traffic_events": views(200), "ingest_blocks": block(0)}
    tables = StoreTables(StorePool(killed.store, threads=1, name="ingest"))
    for name, those in rows.items():
        await Insertion(tables, name, those, "t1", again=False)()
    whole = killed.counts()
    killed.lose_part(table)
    assert killed.counts() != whole
    for _ in range(2):
        for name, those in rows.items():
            await Insertion(tables, name, those, "t1", again=True)()
        assert killed.counts() == whole
    left = killed.store.query(f"SELECT name FROM system.tables WHERE name LIKE '{table}_%'")
    assert not left, "what the rows were attached from stays"


async def test_rows_that_are_there_are_not_attached(killed: Killed) -> None:
    """Nor is another record of the same partition and moment taken for them."""
    tables = StoreTables(StorePool(killed.store, threads=1, name="ingest"))
    rows = views(3)
    await Insertion(tables, "traffic_events", rows.slice(0, 2), "t1", again=False)()
    await Insertion(tables, "traffic_events", rows.slice(0, 2), "t1", again=True)()
    assert killed.counts() == {"events": 2, "by_minute": 2, "by_second": 2, "blocks": 0}
    assert not await tables.holds("traffic_events", rows.slice(2))
    assert not await tables.holds("ingest_blocks", block(0))
