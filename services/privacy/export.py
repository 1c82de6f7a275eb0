"""Everything that a store holds under a person's name, a line for each thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from services.common.store import Store
from services.privacy import letters
from services.privacy.people import Keys, Person
from services.privacy.suspects import rows_naming, suspect_names
from services.privacy.tables import ALERTS, EVENTS

_PAGE = 5_000
_NAMED = "SELECT arrayJoin({names:Array(String)})"


def export(store: Store, person: Person, keys: Keys) -> Iterator[dict[str, Any]]:
    """Rows as `table`, `meaning` and `row`, in the order in which they came. Raises `StoreError`.

    The first line says what was looked for, and under which keys nothing could be looked for.
    """
    yield {
        "table": "",
        "meaning": "what was looked for",
        "row": {"user_id": person.user_id, "names": list(person.names), "keys_not_at_hand": list(keys.missing)},
    }
    names = {"names": list(person.names)}
    for table in EVENTS:
        after: tuple[int, int, int] = (0, 0, 0)
        while True:
            rows = store.query(
                f"SELECT * FROM {table.name}\n"
                "WHERE user_id IN {names:Array(String)} AND (arrived_at, kafka_partition, kafka_offset) >\n"
                "    (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {partition:UInt16}, {offset:UInt64})\n"
                "ORDER BY arrived_at, kafka_partition, kafka_offset\nLIMIT {limit:UInt32}",
                {**names, "at": after[0], "partition": after[1], "offset": after[2], "limit": _PAGE},
            )
            for row in rows:
                yield {"table": table.name, "meaning": table.meaning, "row": _plain(row)}
            if len(rows) < _PAGE:
                break
            last = rows[-1]
            after = (round(last["arrived_at"].timestamp() * 1000), last["kafka_partition"], last["kafka_offset"])
    suspects = suspect_names(store, _NAMED, names)
    for name in ALERTS:
        for row in rows_naming(store, name, suspects):
            yield {"table": name, "meaning": "an alert that suspected them, by another name", "row": _plain(row)}
    for row in letters.naming(store, [person.user_id]):
        sent = {**_plain(row), "value": letters.readable(row["value"])}
        yield {"table": letters.LETTERS, "meaning": "a record that was refused and names them", "row": sent}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case dt.datetime() | dt.date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes():
            return value.decode("utf-8", "replace")
    return value
