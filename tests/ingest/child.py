"""A process of its own that runs ingest on a chDB directory, to be killed.

Called with the settings as JSON, the directory, a campaign, and how many records there will be. It prints how many it
has dealt with whenever that changes; once they are all it prints what the tables hold and stops in order.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from services.common.settings import Settings
from services.ingest.service import IngestService
from tests.ingest.harness import handled
from tests.support.audits import assert_clean
from tests.support.store import embedded_store


async def main(settings: Settings, directory: Path, campaign: str, records: int) -> None:
    """Runs until everything is dealt with."""
    for store in embedded_store(directory):
        stop = asyncio.Event()
        service = IngestService(settings, store)
        task = asyncio.create_task(service.run(stop))
        done = 0
        while done < records:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.02)
            before, done = done, handled(store, settings)
            if done != before:
                print(done, flush=True)
        stop.set()
        await task
        events = store.query(
            "SELECT count() AS n, uniqExact(event_id) AS ids FROM traffic_events WHERE campaign_id = {c:String}",
            {"c": campaign},
        )
        rollup = store.query(
            "SELECT sum(events) AS n FROM traffic_by_minute WHERE campaign_id = {c:String} AND dimension = ''",
            {"c": campaign},
        )
        dead = store.query("SELECT count() AS n, uniqExact(kafka_partition, kafka_offset) AS ids FROM dead_letters")
        assert_clean(store, settings.topic_prefix, campaign=campaign)
        print(json.dumps({"events": events[0], "rollup": rollup[0]["n"], "dead": dead[0]}))


if __name__ == "__main__":
    uvloop.run(main(Settings(**json.loads(sys.argv[1])), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
