"""A child on one core: the alerts service with many rules, which looks once a second at a shop that goes on."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec
import uvloop

from services.alerts.service import AlertsService
from services.common.clock import wall_clock
from services.common.settings import load_settings
from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
from tests.bench.alerts.rules import Groups, rules

_SETTLE = 8
"""The first looks read history and open the alerts of rules that are breached from the start."""


class Look(msgspec.Struct, frozen=True):
    """What the child is to do."""

    directory: str
    core: int
    rules: int
    groups: int
    seconds: int


class Looked(msgspec.Struct):
    """How long each look took, in seconds, and how many alerts were open at last."""

    seconds: list[float]
    open: int
    rules: int


async def look(told: Look, store: Store) -> Looked:
    """Writes a second, looks at it, and waits for the next one."""
    file = Path(told.directory) / "rules.yaml"
    file.write_text(rules(told.rules))
    groups = Groups(store, told.groups)
    await asyncio.to_thread(groups.history, wall_clock(), 60)
    service = AlertsService(load_settings(rules_file=file), store)
    await service.restore()
    taken = []
    for number in range(_SETTLE + told.seconds):
        began = time.monotonic()
        await asyncio.to_thread(groups.second, wall_clock())
        started = time.perf_counter()
        await service.look()
        if number >= _SETTLE:
            taken.append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))
    return Looked(taken, len(service.engine.alerts), len(service.engine.rules))


def main() -> None:
    """Reads what to do from its argument and writes what it saw to standard output."""
    told = msgspec.json.decode(sys.argv[1], type=Look)
    os.sched_setaffinity(0, {told.core})
    store = open_store(f"chdb://{told.directory}/store", timeout_seconds=60)
    try:
        migrate(store)
        said = uvloop.run(look(told, store))
    finally:
        store.close()
    sys.stdout.buffer.write(msgspec.json.encode(said))


if __name__ == "__main__":
    main()
