"""What is logged, and what is held back."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from services.common.logs import Repetitions, configure_logs


def at(seconds: float, name: str, message: str, *arguments: object) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.ERROR, "", 0, message, arguments, None)
    record.created = seconds
    return record


def test_a_repeated_message_comes_once_and_then_says_how_often() -> None:
    repetitions = Repetitions("aiokafka", seconds=10)
    kept = [
        record
        for second in range(25)
        if repetitions.filter(record := at(1000 + second, "aiokafka.client", "no connection to %s", second))
    ]
    assert [(record.created, getattr(record, "held_back", 0)) for record in kept] == [(1000, 0), (1010, 9), (1020, 9)]


def test_other_messages_and_other_loggers_are_untouched() -> None:
    repetitions = Repetitions("aiokafka", seconds=10)
    assert repetitions.filter(at(1, "aiokafka.client", "a"))
    assert repetitions.filter(at(1, "aiokafka.client", "b"))
    assert repetitions.filter(at(1, "aiokafka.conn", "a"))
    assert all(repetitions.filter(at(1, "services.ingest", "a")) for _ in range(3))


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    levels = {name: logging.getLogger(name).level for name in ("", "services", "aiokafka", "clickhouse_connect")}
    stream = io.StringIO()
    configure_logs("INFO", stream)
    yield stream
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_the_process_holds_back_what_aiokafka_repeats(stream: io.StringIO) -> None:
    for _ in range(50):
        logging.getLogger("aiokafka.client").error("no connection")
        logging.getLogger("services.ingest").error("no progress")
    events: list[dict[str, Any]] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events].count("no connection") == 1
    assert [event["event"] for event in events].count("no progress") == 50
