"""The alerts that suspect a person, by the name that alerts have for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.common.people.suspects import read_name_key
from services.common.store import Store
from services.privacy.tables import ALERTS

_PORTION: Final = 500

_WHERE: Final = """
SELECT DISTINCT campaign_id, subject.1 AS kind, subject.2 AS identity
FROM
(
    SELECT campaign_id, [('user', user_id)] AS subjects FROM traffic_events WHERE user_id IN ({names})
    UNION ALL
    SELECT campaign_id, [('user', user_id), ('device', device_id)] FROM order_events WHERE user_id IN ({names})
    UNION ALL
    SELECT campaign_id, [('user', user_id), ('device', device_id)] FROM coupon_events WHERE user_id IN ({names})
)
ARRAY JOIN subjects AS subject
WHERE identity != ''
ORDER BY campaign_id, kind, identity"""


def suspect_names(store: Store, names: str, parameters: Mapping[str, Any]) -> list[str]:
    """What alerts would call some people and their devices; `names` is SQL for what rows call them.

    Raises `StoreError`.
    """
    pseudonyms = read_name_key(store)
    rows = store.query(_WHERE.format(names=names), parameters)
    return [pseudonyms.name(row["campaign_id"], row["kind"], row["identity"]) for row in rows]


def rows_naming(store: Store, table: str, suspects: Sequence[str], columns: str = "*") -> list[dict[str, Any]]:
    """The rows of a table of `ALERTS` that hold one of these names. Raises `StoreError`."""
    found = []
    text = f"concat({', '.join(ALERTS[table])})"
    for start in range(0, len(suspects), _PORTION):
        found += store.query(
            f"SELECT {columns} FROM {table}\n"
            f"WHERE arrayExists(name -> position({text}, name) > 0, {{suspects:Array(String)}})",
            {"suspects": list(suspects[start : start + _PORTION])},
        )
    return found
