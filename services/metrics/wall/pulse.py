"""The pulse of a snapshot: ten minutes, second by second."""

from __future__ import annotations

from typing import Any

from schemas.metrics import DIMENSIONS, Kind
from services.common.clock import MINUTE_MS, floor_minute, to_datetime
from services.common.query.pulse import ORDERS, TRAFFIC, read_pulse
from services.common.store import Row, StorePool
from services.common.tabular import Column, Type, json_value, time_text
from services.metrics.wall.scene import Scene

PULSE_SECONDS = 600

_TYPES = {"gmv": Type.MONEY, "paid_gmv": Type.MONEY}
_COLUMNS = [Column(name, _TYPES.get(name, Type.COUNT)) for name in (*TRAFFIC, *ORDERS)]
_MINUTE = [column for column in _COLUMNS if column.name in ORDERS]


async def pulse_of(pool: StorePool, scene: Scene) -> list[Row]:
    """The seconds up to the moment; of the present also the second that has only begun."""
    until = scene.moment_ms - scene.moment_ms % 1000
    end = until if scene.past else until + 1000
    return await read_pulse(pool, scene.question, until - PULSE_SECONDS * 1000, end)


def pulse_table(rows: list[Row]) -> dict[str, Any]:
    """The panel."""
    return {
        "columns": ["time", *(column.name for column in _COLUMNS)],
        "rows": [
            {"time": time_text(to_datetime(row["second"] * 1000))}
            | {column.name: json_value(column.type, row[column.name]) for column in _COLUMNS}
            for row in rows
        ],
    }


def begun_minute(rows: list[Row], scene: Scene) -> dict[str, Any]:
    """What happened in the seconds between the full minute, at which the numbers of a moment end, and the moment.

    None where the filters leave nothing defined.
    """
    first = floor_minute(scene.moment_ms) // 1000
    late = [row for row in rows if first <= row["second"] < first + MINUTE_MS // 1000]
    carried = _carried(scene)
    return {
        column.name: json_value(column.type, sum(row[column.name] for row in late)) if carried else None
        for column in _MINUTE
    }


def _carried(scene: Scene) -> bool:
    return all(Kind.ORDERS in DIMENSIONS[name] for name in scene.question.filters)
