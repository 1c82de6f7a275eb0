"""The views for analysts and the role that may read them, as far as chDB runs it: it has no access management."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from services.common.errors import StoreRejected
from services.common.store import Store
from services.common.store.migrate import split_statements
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

ROOT = Path(__file__).resolve().parents[2]
SQL = (ROOT / "deploy" / "clickhouse" / "readonly.sql").read_text(encoding="utf-8")
STATEMENTS = split_statements(SQL)
PROFILE = STATEMENTS[0]
MOMENT = datetime(2026, 11, 11, 0, 0, 26, tzinfo=UTC)
PERSON = "somebody"


def views(store: Store) -> dict[str, str]:
    rows = store.query(
        "SELECT name, comment FROM system.tables "
        "WHERE database = currentDatabase() AND engine = 'View' AND name LIKE 'bi\\_%'"
    )
    return {row["name"]: row["comment"] for row in rows}


def of_campaign(store: Store, view: str, campaign: str) -> list[dict[str, Any]]:
    return store.query(f"SELECT * FROM {view} WHERE campaign = {{campaign:String}}", {"campaign": campaign})


def test_each_view_and_column_says_what_it_is(store: Store) -> None:
    """Catches: a view that nobody can read without its author, and one that the documentation forgot."""
    described = views(store)
    assert len(described) > 8
    assert all(described.values())
    document = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
    columns = store.query(
        "SELECT table, name, comment FROM system.columns WHERE database = currentDatabase() AND table LIKE 'bi\\_%'"
    )
    assert {row["table"] for row in columns} == described.keys()
    for row in columns:
        assert row["comment"], f"{row['table']}.{row['name']}"
        assert not re.search("user|device|session_id|reason_text|location", row["name"]), row["name"]
    for name in described:
        assert f"`{name}`" in document, name


def test_the_views_tell_what_was_sent_and_name_nobody(store: Store) -> None:
    """Catches: a sum over doubled rows, a level that is not the latest, and an id of a person that shines through."""
    campaign = fresh_campaign("views")
    common = {"event_time": MOMENT, "campaign_id": campaign, "channel": "app", "region": "CN-31"}
    person = {"user_id": PERSON}
    line = {"line_item_id": ["shoe", "hat"], "line_item_category": ["wear", "wear"], "line_quantity": [1, 2],
            "line_amount": [money(100_00), money(50_00)]}  # fmt: skip
    orders = [
        {"event_name": "order_created", "value": money(160_00), **line},
        {"event_name": "order_paid", "value": money(160_00), **line},
        {"event_name": "order_refunded", "value": money(10_00)} | {name: [] for name in line},
    ]
    insert_rows(
        store,
        "order_events",
        [
            {"order_id": "o1", "currency": "CNY", "device_id": PERSON, "reason": PERSON, **common, **person, **each}
            for each in orders
        ],
    )
    insert_rows(
        store,
        "traffic_events",
        [
            {"event_name": name, "session_id": PERSON, "page_location": PERSON, **common, **person}
            for name in ("page_view", "add_to_cart")
        ],
    )
    insert_rows(
        store,
        "coupon_events",
        [
            {"event_name": name, "coupon_id": "k", "batch_id": "b", "face_value": money(20_00), **common, **person}
            for name in ("coupon_claimed", "coupon_redeemed")
        ],
    )
    insert_rows(store, "spend_events", [{"event_name": "ad_spend", "cost": money(9_99), "clicks": 3, **common}])
    insert_rows(
        store,
        "stock_events",
        [
            {**common, "event_name": "stock_level", "item_id": "shoe", "available": 7, "safety_stock": -1},
            {**common, "event_name": "stock_level", "item_id": "shoe", "available": 9, "safety_stock": 2,
             "event_time": MOMENT.replace(second=5)},
        ],
    )  # fmt: skip
    store.insert(
        "campaigns",
        pa.table(
            {
                "campaign_id": [campaign],
                "version": pa.array([1], pa.uint64()),
                "body": [
                    '{"name": "Double 11", "start": "2026-11-11T00:00:00+08:00", "end": "2026-11-12T00:00:00+08:00",'
                    ' "phases": [{"name": "burst", "start": "2026-11-11T00:00:00+08:00",'
                    ' "end": "2026-11-11T02:00:00+08:00"}],'
                    ' "calendar": [{"name": "gala", "start": "2026-11-11T01:00:00+08:00"}]}'
                ],
                "changed_at": pa.array([0], pa.timestamp("ms", "UTC")),
            }
        ),
    )
    found = {name: of_campaign(store, name, campaign) for name in views(store) if "campaign" in _columns(store, name)}
    assert PERSON not in str(found)
    (sales,) = found["bi_sales_by_minute"]
    assert (sales["gmv"], sales["paid_gmv"], sales["net_sales"]) == (Decimal(160), Decimal(160), Decimal(150))
    assert (sales["orders_paid"], sales["buyers"], sales["channel"]) == (1, 1, "app")
    assert sorted(row["event"] for row in found["bi_orders"]) == ["order_created", "order_paid", "order_refunded"]
    assert {row["items"] for row in found["bi_orders"]} == {0, 3}
    assert sum(row["amount"] for row in found["bi_order_items"]) == 2 * Decimal(150)
    (traffic,) = found["bi_traffic_by_minute"]
    assert (traffic["events"], traffic["page_views"], traffic["visitors"], traffic["sessions"]) == (2, 1, 1, 1)
    assert sum(row["cost"] for row in found["bi_coupons"]) == Decimal(20)
    assert [(row["cost"], row["clicks"]) for row in found["bi_ad_spend"]] == [(Decimal("9.99"), 3)]
    (stock,) = found["bi_stock"]
    assert (stock["available"], stock["safety_stock"], stock["as_of"]) == (7, None, MOMENT)
    (declared,) = found["bi_campaigns"]
    assert (declared["name"], declared["timezone"]) == ("Double 11", "Asia/Shanghai")
    assert declared["starts_at"].replace(tzinfo=UTC) == datetime(2026, 11, 10, 16, tzinfo=UTC)
    assert [(row["kind"], row["name"], row["starts_at"].hour, row["ends_at"]) for row in found["bi_plan"]] == [
        ("phase", "burst", 16, datetime(2026, 11, 10, 18, tzinfo=UTC)),
        ("event", "gala", 17, None),
    ]
    for name in views(store).keys() - found.keys():
        store.query(f"SELECT * FROM {name}")


def _columns(store: Store, view: str) -> set[str]:
    return {row["name"] for row in store.query(f"DESCRIBE TABLE {view}")}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_engine_understands_each_statement_of_the_role(store: Store, statement: str) -> None:
    """Catches: a statement with an error of syntax. Whether it does what it says needs a server."""
    with pytest.raises(StoreRejected, match=r"Code: (497|511)\."):
        # Not enough privileges, or no such role: neither is said of what cannot be parsed.
        store.command(statement)


def test_the_role_may_read_the_views_and_nothing_else(store: Store) -> None:
    """Catches: a view that was forgotten, and a table that was not."""
    granted = [re.fullmatch(r"GRANT SELECT ON warroom\.(\w+) TO warroom_reader", each) for each in STATEMENTS[2:-1]]
    assert sorted(match.group(1) for match in granted if match) == sorted(views(store))
    assert all(granted)


def _profile() -> dict[str, str]:
    return dict(re.findall(r"^\s+(\w+) = ('?\w+'?)", PROFILE, flags=re.MULTILINE))


def test_the_limits_of_the_profile_are_limits_of_this_engine(store: Store) -> None:
    """Catches: a setting that ClickHouse does not know, and one that does not hold a query back."""
    limits = _profile()
    assert len(limits) == PROFILE.count(" = ")
    given = ", ".join(f"{name} = {value}" for name, value in limits.items() if name not in ("readonly", "allow_ddl"))
    assert store.query(f"SELECT count() AS c FROM bi_orders SETTINGS {given}")
    with pytest.raises(StoreRejected, match="Code: 396"):
        store.query(f"SELECT number FROM numbers(toUInt64({limits['max_result_rows']}) + 1) SETTINGS {given}")


def test_a_session_with_the_profile_reads_and_writes_nothing(tmp_path: Path) -> None:
    """Catches: a reader that can change data. In a process of its own: the setting stays for a whole session."""
    limits = _profile()
    script = f"""
import sys
from services.common.store.clickhouse import open_store
from services.common.store.migrate import migrate
import chdb
store = open_store("chdb://{tmp_path}/store", timeout_seconds=30)
migrate(store)
connection = chdb.connect("{tmp_path}/store")
for name, value in {limits!r}.items():
    if name != "readonly":
        connection.query(f"SET {{name}} = {{value}}")
connection.query("SET readonly = " + {limits["readonly"]!r})
print(connection.query("SELECT count() FROM bi_orders", "TabSeparated").bytes().decode().strip())
for statement in ("INSERT INTO campaigns (campaign_id) VALUES ('x')", "CREATE TABLE t (a UInt8) ENGINE = Memory",
                  "DROP VIEW bi_orders", "ALTER TABLE campaigns DELETE WHERE 1", "SET readonly = 0"):
    try:
        connection.query(statement)
        print("did", statement)
    except Exception as error:
        print("Code: 164" in str(error) or "Code: 392" in str(error) or str(error))
"""
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert said.stdout.splitlines() == ["0", *["True"] * 5], said.stdout + said.stderr
