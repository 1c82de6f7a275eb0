"""The broker that `deploy/kafka` runs, itself: it survives a kill, and says what is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.kafka import SCRIPT, ApacheKafka, running_kafka


@pytest.mark.system
async def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with running_kafka(tmp_path) as kafka:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await admin.start()
        await admin.create_topics([NewTopic("t", 1, 1)])
        await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, enable_idempotence=True)
        await producer.start()
        for number in range(100):
            await producer.send_and_wait("t", b"%d" % number)
        kafka.kill()
        await producer.stop()
        kafka.start()
        assert await _values(kafka) == [b"%d" % number for number in range(100)]


async def _values(kafka: ApacheKafka) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partition = TopicPartition("t", 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        return [(await consumer.getone()).value for _ in range(end)]
    finally:
        await consumer.stop()


@pytest.mark.parametrize(("tools", "sentence"), [([], "no java on the path"), (["java"], "no mvn on the path")])
def test_what_is_missing_is_named(tmp_path: Path, tools: list[str], sentence: str) -> None:
    # Everything that the script uses but Java and Maven.
    path = tmp_path / "bin"
    path.mkdir()
    for tool in ("env", "bash", "dirname", "sed", "head", "sha256sum", "mkdir", "mktemp", "rm"):
        (path / tool).symlink_to(_which(tool))
    for tool in tools:
        (path / tool).write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
        (path / tool).chmod(0o755)
    run = subprocess.run(
        [str(SCRIPT), "fetch"],
        env={"PATH": str(path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert run.returncode == 1
    assert sentence in run.stderr


def _which(tool: str) -> str:
    return next(
        found for place in os.environ["PATH"].split(":") if os.access(found := os.path.join(place, tool), os.X_OK)
    )
