"""chDB for many threads: a handle for each statement that runs, with the settings and the database of its request."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

import chdb
import pyarrow as pa

from tests.support.clickhouse_http.cluster import OneProcess

MOST_STATEMENTS = 32
"""At once; a ClickHouse server has such a limit too (`max_concurrent_queries`)."""

_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)\. ")
# A request is a session of its own: a handle with changed state is not used again.
_SESSION = re.compile(r"\s*(SET|USE)\b", re.IGNORECASE)


class EngineError(Exception):
    """What ClickHouse threw: its code, and its message as a server would send it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Statement:
    """One request: SQL, the rows of an INSERT in the SQL's format, and what surrounds it."""

    sql: str
    data: bytes | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    database: str = "default"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine returned. `format` is None for a statement without a result."""

    body: bytes
    format: str | None
    rows: int
    bytes: int
    seconds: float


@dataclass(slots=True)
class _Handle:
    connection: Any
    settings: dict[str, str] = field(default_factory=dict)
    database: str = "default"


class Engine:
    """The engine of one directory. Only one per process."""

    def __init__(self, path: str, cluster: OneProcess | None = None) -> None:
        """`path` may name a configuration file behind `?config-file=`."""
        self._path = path
        self._cluster = cluster
        self._idle: list[_Handle] = []
        self._lock = threading.Lock()
        self._running = threading.BoundedSemaphore(MOST_STATEMENTS)
        self._idle.append(self._new())

    def run(self, statement: Statement) -> Answer:
        """Blocks until the engine is done. Raises `EngineError`."""
        if self._cluster is not None:
            settings = {**statement.settings, **self._cluster.settings(statement.sql)}
            statement = replace(statement, sql=self._cluster.statement(statement.sql), settings=settings)
            if statement.data is not None:
                parts = self._cluster.shards_of(statement.sql, statement.data, settings, self._evaluated)
                answers = [self._run(replace(statement, data=data, settings=each)) for data, each in parts]
                return replace(
                    answers[-1], rows=sum(each.rows for each in answers), bytes=sum(each.bytes for each in answers)
                )
        return self._run(statement)

    def _run(self, statement: Statement) -> Answer:
        started = time.perf_counter()
        with self._running:
            handle = self._take()
            try:
                _prepare(handle, statement)
                result, format_ = _execute(handle.connection, statement)
            except RuntimeError as error:
                # chDB would put what it had answered so far before the answer of the handle's next query.
                handle.connection.close()
                raise _engine_error(error) from error
            answer = Answer(
                result.bytes() or b"", format_, result.rows_read(), result.bytes_read(), time.perf_counter() - started
            )
            if _SESSION.match(statement.sql):
                handle.connection.close()
            else:
                with self._lock:
                    self._idle.append(handle)
            return answer

    def close(self) -> None:
        """Closes every handle. No statement may be running."""
        with self._lock:
            for handle in self._idle:
                handle.connection.close()
            self._idle.clear()

    def _evaluated(self, expression: str, rows: bytes) -> pa.Table:
        with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
            file.write(rows)
            file.flush()
            answer = self._run(Statement(f"SELECT {expression} FROM file('{file.name}', Arrow) FORMAT Arrow"))
        return pa.ipc.open_file(answer.body).read_all()

    def _take(self) -> _Handle:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._new()

    def _new(self) -> _Handle:
        return _Handle(chdb.connect(self._path))  # type: ignore[no-untyped-call]  # chDB is untyped in part


def _prepare(handle: _Handle, statement: Statement) -> None:
    if handle.database != statement.database:
        handle.connection.query(f"USE `{statement.database}`")
        handle.database = statement.database
    for name in handle.settings.keys() - statement.settings.keys():
        handle.connection.query(f"SET {name} = DEFAULT")
        del handle.settings[name]
    for name, value in statement.settings.items():
        if handle.settings.get(name) != value:
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            handle.connection.query(f"SET {name} = '{escaped}'")
            handle.settings[name] = value


def _execute(connection: Any, statement: Statement) -> tuple[Any, str | None]:
    if statement.data is not None:
        found = _FORMAT.search(statement.sql)
        assert found is not None, "an INSERT with rows names their format"
        with tempfile.NamedTemporaryFile(suffix=".insert") as file:
            file.write(statement.data)
            file.flush()
            head = statement.sql[: found.start()]
            sql = f"{head} FROM INFILE '{file.name}' FORMAT {found.group(1)}"
            return connection.query(sql, "TabSeparated", params=statement.parameters), None
    found = _FORMAT.search(statement.sql)
    format_ = found.group(1) if found else "TabSeparated"
    result = connection.query(statement.sql, format_, params=statement.parameters)
    return result, format_ if found or result.bytes() else None


def _engine_error(error: RuntimeError) -> EngineError:
    message = str(error)
    found = _CODE.search(message)
    return EngineError(int(found.group(1)) if found else 1001, message[found.start() :] if found else message)
