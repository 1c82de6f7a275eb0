"""Writes `deploy/clickhouse/*_cluster.sql`: what `readonly.sql` and `grafana.sql` are on a cluster.

`python -m scripts.cluster_rights` writes them, `--check` says whether they are as they should be.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from services.common.store import Store
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate, split_statements

DIRECTORY: Final = Path(__file__).resolve().parents[1] / "deploy" / "clickhouse"
FILES: Final = {"readonly": "warroom_reader", "grafana": "warroom_grafana"}
"""The role that each file makes."""

CLUSTER: Final = "warroom"
_ON: Final = f"ON CLUSTER '{CLUSTER}'"
_AT_ONCE: Final = 4
"""So many times more questions at once: a shard counts those of all servers that ask it for the same reader."""

_HEAD: Final = """\
-- {file} for a cluster. Made from it by `python -m scripts.cluster_rights`: change that one.
--
-- To be run once, on any server, by a user that may manage access, after `warroom migrate`. It may be run again. The
-- cluster is `warroom`, as in WARROOM_CLICKHOUSE_CLUSTER, and so is the database; change the names if yours are others.
--     CREATE USER ... ON CLUSTER 'warroom' IDENTIFIED BY '...' DEFAULT ROLE {role};
--     GRANT ON CLUSTER 'warroom' {role} TO ...;
-- Where servers keep users in Keeper (`user_directories` with `replicated`), leave ON CLUSTER out.
--
-- The views run as who made them, but on the server that was asked alone: a shard is asked in the reader's name
-- (https://github.com/ClickHouse/ClickHouse/issues/88009). So the reader may read there, too, the columns that the
-- views are made of, and no other. None of them names a person; sketches of distinct users are among them.
"""
_SPREAD: Final = """\
    -- Two views in one question are each asked of all shards, and a shard that is away is an error.
    distributed_product_mode = 'global' CONST,
    skip_unavailable_shards = 0 CONST,
"""
_TABLE: Final = re.compile(r"\s*TABLE id: (\d+),.*\btable_name: \w+\.(\w+)")
_COLUMN: Final = re.compile(r"\s*COLUMN id: \d+,.*\bcolumn_name: (\w+),.*\bsource_id: (\d+)")


def beneath(store: Store) -> dict[str, dict[str, set[str]]]:
    """By business view, the columns that it reads of each table, as the engine's own analysis has them."""
    views = store.query(
        "SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND name LIKE 'bi\\_%'"
    )
    found: dict[str, dict[str, set[str]]] = {}
    for view in views:
        lines = [str(next(iter(row.values()))) for row in store.query(f"EXPLAIN QUERY TREE {view['as_select']}")]
        tables = {match[1]: match[2] for line in lines if (match := _TABLE.match(line))}
        columns = found[str(view["name"])] = {name: set() for name in tables.values()}
        for line in lines:
            if (match := _COLUMN.match(line)) and match[2] in tables:
                columns[tables[match[2]]].add(match[1])
    return found


def on_cluster(name: str, views: Mapping[str, Mapping[str, set[str]]]) -> str:
    """The text of the file for a cluster, from that of one server and what the views read."""
    role = FILES[name]
    statements = split_statements((DIRECTORY / f"{name}.sql").read_text(encoding="utf-8"))
    granted = {match[1] for each in statements if (match := re.match(r"GRANT SELECT ON warroom\.(bi_\w+) TO", each))}
    columns: dict[str, set[str]] = {}
    for view in granted:
        for table, read in views[view].items():
            columns.setdefault(table, set()).update(read)
    made = [_spread(each) for each in statements]
    rights = [
        f"GRANT {_ON} SELECT(\n    {f',{chr(10)}    '.join(sorted(read))}\n) ON warroom_shard.{table} TO {role}"
        for table, read in sorted(columns.items())
    ]
    # The quota comes last, as it does on one server.
    head = _HEAD.format(file=f"{name}.sql", role=role).rstrip()
    return "\n\n".join([head, *(f"{each};" for each in _placed(made, rights))]) + "\n"


def _placed(made: list[str], rights: list[str]) -> Iterator[str]:
    for each in made:
        if each.startswith("CREATE QUOTA"):
            yield from rights
        yield each


def _spread(statement: str) -> str:
    if statement.startswith("GRANT "):
        return statement.replace("GRANT ", f"GRANT {_ON} ", 1)
    statement = re.sub(r"^(CREATE [A-Z ]+ IF NOT EXISTS \w+)", rf"\1 {_ON}", statement)
    if statement.startswith("CREATE SETTINGS PROFILE"):
        head, _, rest = statement.partition("\n")
        statement = f"{head}\n{_SPREAD}{rest}"
        statement = re.sub(
            r"max_concurrent_queries_for_user = (\d+) MAX \1",
            lambda found: "max_concurrent_queries_for_user = {0} MAX {0}".format(int(found[1]) * _AT_ONCE),
            statement,
        )
    return statement


def texts() -> dict[Path, str]:
    """What each file should hold."""
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(f"chdb://{directory}/store", timeout_seconds=60)
        migrate(store)
        views = beneath(store)
        store.close()
    return {DIRECTORY / f"{name}_cluster.sql": on_cluster(name, views) for name in FILES}


def main() -> None:
    """Writes, or with `--check` compares."""
    wrong = []
    for path, text in texts().items():
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            wrong.append(path.name)
    if wrong:
        sys.exit(f"{', '.join(wrong)}: run `python -m scripts.cluster_rights`")


if __name__ == "__main__":
    main()
