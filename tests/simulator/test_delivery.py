"""The command as it is used: into a real broker, to a real HTTP server, ended by a real signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.settings import EVENT_KINDS
from tests.support.broker import Broker, free_port, running_broker
from tests.support.kafka import KafkaServer

WARROOM = [sys.executable, "-c", "from services.cli import main; main()"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


class Api:
    """An HTTP server that takes campaigns, after refusing the first few calls as one that is still starting."""

    def __init__(self, port: int, unready: int = 0) -> None:
        self.put: list[tuple[str, dict[str, Any]]] = []
        api = self
        left = [unready]

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                left[0] -= 1
                if left[0] < 0:
                    api.put.append((self.path, body))
                self.send_response(503 if left[0] >= 0 else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def create_topics(broker: KafkaServer, prefix: str) -> None:
    async def create() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(prefix + kind, 3, 1) for kind in EVENT_KINDS])
        finally:
            await admin.close()

    asyncio.run(create())


def drained(broker: KafkaServer, prefix: str) -> list[tuple[str, int, bytes, dict[str, Any]]]:
    """Topic, partition, key and event of every record there is."""

    async def drain() -> list[tuple[str, int, bytes, dict[str, Any]]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(prefix + kind, number) for kind in EVENT_KINDS for number in range(3)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            found = []
            while any([await consumer.position(one) < ends[one] for one in partitions]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [(r.topic, r.partition, r.key, json.loads(r.value)) for r in records]
            return found
        finally:
            await consumer.stop()

    return asyncio.run(drain())


def command(broker: KafkaServer, prefix: str, *arguments: str) -> list[str]:
    where = ["--bootstrap-servers", broker.bootstrap_servers, "--topic-prefix", prefix]
    return [*WARROOM, *arguments, *where]


def finish(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, str]:
    """Status and standard error; kills the process when it takes longer."""
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
    return process.returncode, errors.decode()


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)


def test_history_and_live_part_join_without_a_hole_and_repeats_keep_their_partition(
    broker: KafkaServer, tmp_path: Path
) -> None:
    create_topics(broker, "whole.")
    api = Api(free_port(), unready=2)
    truth = tmp_path / "truth.jsonl"
    started = time.time()
    try:
        arguments = ["simulate", "--api", api.url, "--history", "5m", "--duration", "8", "--campaign-id", "whole"]
        arguments += [
            "--events-per-second",
            "80",
            "--duplicates",
            "0.1",
            "--disorder",
            "2",
            "--incident",
            "silence@3:2",
        ]
        status, errors = finish(start([*command(broker, "whole.", *arguments), "--ground-truth", str(truth)]), 60)
    finally:
        api.close()
    assert status == 0, errors
    assert [path for path, _ in api.put] == ["/api/v1/campaigns/whole"]
    records = drained(broker, "whole.")
    assert f"{len(records)} records sent" in errors
    places = defaultdict(set)
    copies: Counter[str] = Counter()
    for topic, partition, key, event in records:
        places[topic, key].add(partition)
        copies[event["event_id"]] += 1
    assert all(len(partitions) == 1 for partitions in places.values())
    assert 0.05 < sum(count == 2 for count in copies.values()) / len(copies) < 0.15
    silence = json.loads(truth.read_text())
    assert silence["rule"] == "data_silence"
    times = sorted(event["event_time"] for _, _, _, event in records)
    moments = [_seconds(text) for text in times]
    gaps = [(later - earlier, earlier) for earlier, later in pairwise(moments)]
    longest, at = max(gaps)
    assert 2 <= longest < 2.5
    assert abs(at - _seconds(silence["starts_at"])) < 0.5
    assert sorted(gap for gap, _ in gaps)[-2] < 1
    # A festival begins on a whole second.
    assert started - 301 <= moments[0] < started - 270
    assert 300 < moments[-1] - moments[0] < 330


def test_history_alone_ends_at_the_present(broker: KafkaServer) -> None:
    create_topics(broker, "past.")
    arguments = ["simulate", "--no-campaign", "--history", "2m", "--duration", "0", "--events-per-second", "50"]
    began = time.time()
    status, errors = finish(start(command(broker, "past.", *arguments)), 60)
    ended = time.time()
    assert status == 0, errors
    latest = max(_seconds(event["event_time"]) for _, _, _, event in drained(broker, "past."))
    # It took the present at some time between; at fifty events a second the last one is not seconds before that.
    assert began - 10 < latest <= ended


def test_a_day_is_sent_with_the_year_before_and_its_truth(broker: KafkaServer, tmp_path: Path) -> None:
    """Catches: incidents of the history that are left out, a campaign whose baseline nobody knows."""
    create_topics(broker, "day.")
    api = Api(free_port())
    truth = tmp_path / "truth.jsonl"
    try:
        arguments = [
            "simulate",
            "--variant",
            "calm",
            "--hours",
            "3",
            "--history",
            "2h",
            "--duration",
            "2",
            "--baseline",
        ]
        arguments += [
            "--campaign-id",
            "day",
            "--events-per-second",
            "2",
            "--incident",
            "stock_out@4500:60:item=sku-0001",
        ]
        arguments += ["--api", api.url, "--ground-truth", str(truth)]
        status, errors = finish(start(command(broker, "day.", *arguments)), 90)
    finally:
        api.close()
    assert status == 0, errors
    assert [path.rpartition("/")[2] for path, _ in api.put] == ["day-before", "day"]
    assert api.put[1][1]["baseline_campaign_id"] == "day-before"
    assert json.loads(truth.read_text())["labels"]["item_id"] == "sku-0001"
    times = defaultdict(list)
    for _, _, _, event in drained(broker, "day."):
        times[event["campaign_id"]].append(_seconds(event["event_time"]))
    spans = {campaign: (min(one), max(one)) for campaign, one in times.items()}
    assert spans["day-before"][1] - spans["day-before"][0] > 3 * 3600 - 60, "the year before is over"
    assert abs(spans["day"][0] - spans["day-before"][0] - 364 * 86_400) < 30
    assert 7_190 < spans["day"][1] - spans["day"][0] < 7_260


@pytest.mark.parametrize(("name", "number"), [("simulate", signal.SIGTERM), ("replay completejourney", signal.SIGINT)])
def test_it_waits_for_what_is_not_up_yet_sends_and_stops_in_order(
    broker: KafkaServer, name: str, number: signal.Signals
) -> None:
    prefix = f"{name.split(maxsplit=1)[0]}."
    port = free_port()
    arguments = [*name.split(), "--api", f"http://127.0.0.1:{port}"]
    process = start(command(broker, prefix, *arguments))
    # Neither the topics nor the API are there when it starts.
    time.sleep(1)
    assert process.poll() is None
    create_topics(broker, prefix)
    api = Api(port)
    try:
        deadline = time.monotonic() + 60
        while not (api.put and drained(broker, prefix)) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.2)
        process.send_signal(number)
        status, errors = finish(process, 15)
    finally:
        api.close()
    assert status == 0, errors
    assert f"{len(drained(broker, prefix))} records sent" in errors
    assert {path for path, _ in api.put} == {api.put[0][0]}
    assert all(body["note"] for _, body in api.put)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (["--campaign-id", "a/b"], "--campaign-id"),
        (["--incident", "spike@10:5:channel=fax"], "no channel 'fax'"),
        (["--history", "1 fortnight"], "--history"),
    ],
)
def test_what_is_wrong_shows_before_anything_is_waited_for(arguments: list[str], about: str) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    process = start([*WARROOM, "simulate", "--bootstrap-servers", nobody, *arguments])
    status, errors = finish(process, 30)
    assert status == 2
    assert about in errors


def test_without_a_broker_it_says_what_to_set() -> None:
    status, errors = finish(start([*WARROOM, "simulate"]), 30)
    assert status == 2
    assert "WARROOM_KAFKA_BOOTSTRAP_SERVERS" in errors


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
