"""kill -9 in the middle of inserts, chDB and all: what the successor makes of it."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from services.common.kafka import ensure_topics
from tests.ingest.harness import produce, read_letters, record, settings_for, traffic
from tests.support.kafka import KafkaServer

KILLS = 4


async def test_killed_under_load(broker: KafkaServer, tmp_path: Path) -> None:
    rng = random.Random(5)
    # With the embedded store ingest does not join the group. It could not here: the embedded broker never lets go of a
    # group's leader that was killed.
    url = f"chdb://{tmp_path}"
    settings = settings_for(broker, batch_max_rows=300, batch_max_age_ms=20, clickhouse_url=url)
    await ensure_topics(settings)
    events = [traffic("killed", user_id=f"u{rng.randrange(100)}") for _ in range(10_000)]
    records = [record("traffic", event) for event in events]
    for _ in range(1_000):
        at = rng.randrange(len(records))
        records.insert(rng.randrange(at, len(records)), records[at])
    for number in range(100):
        records.insert(rng.randrange(len(records)), ("traffic", b"g%d" % number, b"{%d" % number))

    async def feed() -> None:
        for start in range(0, len(records), 250):
            await produce(settings, records[start : start + 250])
            await asyncio.sleep(0.05)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.ingest.child",
                json.dumps({**settings.model_dump(exclude_unset=True), "clickhouse_url": url}),
                str(tmp_path),
                "killed",
                str(len(records)),
            ],
            stdout=subprocess.PIPE,
        )

    feeding = asyncio.create_task(feed())
    for _ in range(KILLS):
        child = start()
        # Once it writes, at any moment.
        assert child.stdout is not None
        assert await asyncio.to_thread(child.stdout.readline)
        await asyncio.sleep(rng.uniform(0, 0.7))
        child.kill()
        child.wait()
    await feeding
    child = start()
    try:
        output, _ = await asyncio.to_thread(child.communicate, timeout=120)
    finally:
        child.kill()
    assert child.returncode == 0
    found = json.loads(output.splitlines()[-1])
    assert found["events"] == {"n": len(events), "ids": len(events)}
    assert found["rollup"] == len(events)
    assert found["dead"] == {"n": 100, "ids": 100}
    assert Counter(key for key, _ in await read_letters(settings)) == Counter({b"g%d" % n: 1 for n in range(100)})
