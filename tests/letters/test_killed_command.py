"""`warroom dead-letters redrive` against servers, killed with -9 wherever it happens to be, and run again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.common.letters.transaction import HEADER
from tests.ingest.harness import order, record, settings_for
from tests.letters.desk import carry, read
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.deployment import environment
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign
from tests.support.war_room import wait_until

KILLS = 4
LETTERS = 1_200


async def test_each_letter_goes_back_once(broker: KafkaServer, endpoint: Endpoint) -> None:
    rng = random.Random(3)
    settings = settings_for(broker)
    campaign = fresh_campaign("killed")
    sent = [record("orders", order(campaign, currency="USD")) for _ in range(LETTERS)]
    store = endpoint.store()
    try:
        await carry(settings, store, sent)

        def ledger() -> int:
            (row,) = store.query(
                "SELECT count() AS n FROM dead_letter_redrives WHERE startsWith(topic, {p:String})",
                {"p": settings.topic_prefix},
            )
            return int(row["n"])

        clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
        env = {**clean, **environment(settings, endpoint.url), "WARROOM_CURRENCY_RATES": '{"USD": "7"}'}
        command = [
            str(Path(sys.executable).with_name("warroom")), "dead-letters", "redrive", "--json",
            "--topic", settings.topics["orders"],
        ]  # fmt: skip
        for _ in range(KILLS):
            await asyncio.to_thread(_killed, command, env, ledger, rng.uniform(0, 0.1))
        finished = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, timeout=120)
        assert finished.returncode == 0, finished.stderr
        assert set(json.loads(finished.stdout)["counts"]) <= {"sent"}
    finally:
        store.close()
    back = Counter(dict(each.headers)[HEADER] for each in await read(settings, "orders") if each.headers)
    assert len(back) == LETTERS
    assert set(back.values()) == {1}


def _killed(command: Sequence[str], env: Mapping[str, str], ledger: Callable[[], int], later: float) -> None:
    """Runs the command until it has written an intent, or is done already, and kills it so many seconds later."""
    before = ledger()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: ledger() > before or process.poll() is not None, 60, "the first intent")
        time.sleep(later)
    finally:
        process.kill()
        process.wait(10)
