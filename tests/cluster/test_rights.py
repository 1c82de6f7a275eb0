"""The readers' roles on a cluster: the files are those of one server, and give no right that a view does not need."""

from __future__ import annotations

import re

import pytest

from scripts.cluster_rights import DIRECTORY, FILES, beneath, on_cluster
from services.common.store import Store
from services.common.store.migrate import split_statements
from services.common.store.topology import Topology, without_comments

NAMES = tuple(FILES)


def statements(name: str) -> tuple[str, ...]:
    return split_statements((DIRECTORY / f"{name}.sql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_made_from_those_of_one_server_and_the_views(name: str, store: Store) -> None:
    """Catches: a view or a column that was added, and that nobody can read on a cluster."""
    text = (DIRECTORY / f"{name}_cluster.sql").read_text(encoding="utf-8")
    assert text == on_cluster(name, beneath(store)), "run `python -m scripts.cluster_rights`"


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_parses_each_statement_and_each_is_for_all_servers(name: str, store: Store) -> None:
    """Catches: a role that one server has and the next one has not."""
    for statement in statements(f"{name}_cluster"):
        (row,) = store.query("SELECT formatQuery({sql:String}) AS text", {"sql": statement})
        assert row["text"].count("ON CLUSTER warroom") == 1, row["text"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_place_and_columns_is_added(name: str) -> None:
    """Catches: a right or a limit that was lost on the way."""
    plain = [re.sub(r" ON CLUSTER 'warroom'", "", each) for each in statements(f"{name}_cluster")]
    beside = [each for each in plain if "warroom_shard." in each]
    rest = [each for each in plain if each not in beside]
    assert [each for each in rest if not each.startswith("CREATE SETTINGS PROFILE")] == [
        each for each in statements(name) if not each.startswith("CREATE SETTINGS PROFILE")
    ]
    for right in beside:
        assert re.match(rf"GRANT SELECT\([\s\w,]+\) ON warroom_shard\.\w+ TO {FILES[name]}$", right), right


def test_no_column_names_a_person(store: Store) -> None:
    read = {column for view in beneath(store).values() for columns in view.values() for column in columns}
    assert {"order_id", "gmv", "campaign_id"} <= read
    assert not [column for column in read if re.search("user|device|session_id|reason_text|location|^key$", column)]


def test_the_columns_are_those_that_the_shards_are_asked_for(cluster_store: Store) -> None:
    """The analysis of one server's views holds for a cluster's: they are of the same tables, by the same names."""
    on_shards = beneath(cluster_store)
    topology = Topology("war", "default")
    assert on_shards.keys()
    assert not [name for view in on_shards.values() for name in view if "_shard" in name]
    for view, tables in on_shards.items():
        for table, columns in tables.items():
            sql = f"SELECT {', '.join(sorted(columns))} FROM {topology.shard_database}.{table} LIMIT 0"
            cluster_store.query(without_comments(sql))
        assert tables, view
