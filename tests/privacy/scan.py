"""Prints as JSON in which columns of an embedded store a text stands: `python -m tests.privacy.scan DIR TEXT...`.

A process of its own, because one process opens one store.
"""

from __future__ import annotations

import json
import sys

from services.common.store.clickhouse import open_store

_COLUMNS = """
SELECT table, name
FROM system.columns
WHERE database = currentDatabase() AND type LIKE '%String%' AND type NOT LIKE 'AggregateFunction%'
    AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
ORDER BY table, name"""


def main(directory: str, texts: list[str]) -> None:
    """Looks at values as they are, and at what they spell in base64."""
    store = open_store(f"chdb://{directory}", timeout_seconds=60)
    found = []
    columns = store.query(_COLUMNS)
    for column in columns:
        (row,) = store.query(
            "SELECT countIf(arrayExists(text -> position(told, text) > 0 OR position(spelt, text) > 0, "
            "{texts:Array(String)})) AS rows\n"
            f"FROM (SELECT toString(`{column['name']}`) AS told, tryBase64Decode(told) AS spelt\n"
            f"FROM `{column['table']}`)",
            {"texts": texts},
        )
        if row["rows"]:
            found.append(f"{column['table']}.{column['name']}")
    store.close()
    print(json.dumps({"found": found, "looked": len(columns)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
