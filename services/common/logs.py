"""Structured logs: one JSON object a line on standard error, no personal data."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

_PLAIN = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Renders a record as one JSON object; what is passed as `extra` becomes fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        fields.update({key: value for key, value in record.__dict__.items() if key not in _PLAIN})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str, ensure_ascii=False)


class Repetitions(logging.Filter):
    """Lets what a chatty library repeats through once in so many seconds, and then says how often it came meanwhile.

    Messages are the same when they have the same logger and the same template. By the records' own time.
    """

    _MOST = 1_000

    def __init__(self, library: str, seconds: float) -> None:
        super().__init__(library)
        self._seconds = seconds
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be logged."""
        if not super().filter(record):
            return True
        message = record.name, str(record.msg)
        last, held_back = self._last.get(message, (-self._seconds, 0))
        if record.created - last < self._seconds:
            self._last[message] = last, held_back + 1
            return False
        if len(self._last) >= self._MOST:
            self._last.clear()
        self._last[message] = record.created, 0
        if held_back:
            record.held_back = held_back
        return True


_HELD: list[tuple[str, dict[str, str]]] = []


def warn_later(event: str, **fields: str) -> None:
    """Logs a warning as soon as logs are configured: settings, which say how, are read before that."""
    if (event, fields) not in _HELD:
        _HELD.append((event, fields))


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Sends every logger's records to one stream; third parties speak from WARNING up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    # Without its broker it speaks forty times a second.
    handler.addFilter(Repetitions("aiokafka", seconds=10))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("services").setLevel(level)
    # aiokafka logs every rebalance step as a warning or an error of its own; ours say what matters.
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    # So does the driver of ClickHouse, which warns of each failed request before it raises.
    logging.getLogger("clickhouse_connect").setLevel(logging.ERROR)
    while _HELD:
        event, fields = _HELD.pop(0)
        logging.getLogger(__name__).warning(event, extra=fields)
