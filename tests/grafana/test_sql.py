"""Every statement of the dashboards against the store, with a campaign in it: embedded, and over HTTP."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from services.common.errors import StoreRejected
from services.common.store import Store
from services.common.store.migrate import split_statements
from tests.grafana.boards import DEPLOY, Asked, asked
from tests.grafana.grafana import ALL, Chosen, View, sql
from tests.support.rows import ARRIVED, insert_rows, money
from tests.support.store import WAYS, by_way, fresh_campaign

START = ARRIVED
STATEMENTS = [query for query in asked() if not query.prometheus]
ROLE = split_statements((DEPLOY / "clickhouse" / "grafana.sql").read_text(encoding="utf-8"))
PERSON = "planted-person"
CHANNELS = ("app", "it's live")
_MS = pa.timestamp("ms", "UTC")


@pytest.fixture(scope="module", params=WAYS)
def stocked(request: pytest.FixtureRequest, store: Store) -> tuple[Store, str]:
    """A store with some of everything that the dashboards ask about, and the campaign that it is of."""
    chosen = by_way(request, store)
    campaign = fresh_campaign("grafana")
    _sell(chosen, campaign)
    _tell(chosen, campaign)
    return chosen, campaign


def _sell(store: Store, campaign: str) -> None:
    common = {"campaign_id": campaign, "region": "CN-31", "user_id": PERSON}
    lines = {
        "line_item_id": ["shoe"],
        "line_item_category": ["wear"],
        "line_quantity": [2],
        "line_amount": [money(50_00)],
    }
    orders = [
        {"event_name": name, "event_time": START + timedelta(minutes=minute), "channel": channel,
         "order_id": f"{channel}{minute}", "device_id": PERSON, "reason": PERSON,
         "value": money(60_00), **common, **lines}
        for minute in range(4) for channel in CHANNELS for name in ("order_created", "order_paid")
    ]  # fmt: skip
    insert_rows(store, "order_events", orders)
    views = [
        {"event_name": "page_view", "event_time": START + timedelta(minutes=minute), "channel": channel,
         "session_id": PERSON, "page_location": PERSON, **common}
        for minute in range(4) for channel in CHANNELS
    ]  # fmt: skip
    insert_rows(store, "traffic_events", views)
    stock = {"event_name": "stock_level", "event_time": START, "campaign_id": campaign, "item_id": "shoe"}
    insert_rows(store, "stock_events", [stock | {"available": 7, "safety_stock": 1}])
    arrived = pa.array([START], _MS)
    refused = {"topic": [f"{campaign}.orders"], "reason": ["invalid_json"], "arrived_at": arrived,
               "key": [PERSON], "value": [PERSON], "detail": [PERSON]}  # fmt: skip
    store.insert("dead_letters", pa.table(refused))


def _tell(store: Store, campaign: str) -> None:
    """What people and services write: the declaration, an alert, how far ingest has come; and something goes wrong."""
    end = START + timedelta(hours=2)
    phase = {"name": "burst", "start": START.isoformat(), "end": end.isoformat()}
    body = json.dumps({"name": "Festival", "start": START.isoformat(), "end": end.isoformat(), "phases": [phase]})
    declared = {"campaign_id": [campaign], "version": pa.array([1], pa.uint64()), "body": [body],
                "changed_at": pa.array([0], _MS)}  # fmt: skip
    store.insert("campaigns", pa.table(declared))
    moment = pa.array([START + timedelta(minutes=1)], _MS)
    texts = {"alert_id": f"{campaign}-1", "state": "resolved", "rule": "stock_out", "severity": "critical",
             "campaign_id": campaign, "labels": "{}", "evidence": "[]", "summary": "Item shoe is sold out"}  # fmt: skip
    alert = {name: [value] for name, value in texts.items()} | {"seq": pa.array([1], pa.uint32())}
    store.insert(
        "alert_transitions", pa.table(alert | dict.fromkeys(("at", "starts_at", "fired_at", "ends_at"), moment))
    )
    # Of a kind that no other test asks for: it would hold their watermark back.
    progress = {"topic": [f"{campaign}.orders"], "kind": ["grafana"], "watermark": moment, "updated_at": moment}
    store.insert("ingest_progress", pa.table(progress))
    with pytest.raises(StoreRejected):
        store.query("SELECT nothing FROM nowhere")


def _view(campaign: str, *channels: str) -> View:
    variables = {"campaign": Chosen([campaign]), "channel": Chosen(channels, CHANNELS, ".+")}
    return View(START, START + timedelta(minutes=30), variables, step_seconds=60)


@pytest.mark.parametrize("query", STATEMENTS, ids=[query.where for query in STATEMENTS])
def test_each_statement_finds_something(stocked: tuple[Store, str], query: Asked) -> None:
    """Catches: a column that was renamed, a filter that finds nothing, a macro that the plugin does not have, and a
    name of a person that stands in a column of the tables."""
    store, campaign = stocked
    for channels in ((ALL,), CHANNELS[1:], CHANNELS):
        rows = store.query(sql(query.text, _view(campaign, *channels)))
        assert rows, f"empty: {query.where}"
        assert PERSON not in str(rows)
        assert any(value is not None for value in rows[0].values())
        if query.series:
            _is_a_series(rows)
        if query.kind == "annotation":
            assert {"time", "timeEnd", "text", "tags"} == rows[0].keys()
            assert rows[0]["timeEnd"] >= rows[0]["time"]
            assert isinstance(rows[0]["tags"], str), "Grafana splits it at commas"


def _is_a_series(rows: list[dict[str, Any]]) -> None:
    """What the plugin makes lines of: `time` that does not fall, and beside it numbers, and one text at most."""
    times = [row["time"] for row in rows]
    assert all(isinstance(moment, datetime) for moment in times)
    assert times == sorted(times)
    values = [value for name, value in rows[0].items() if name != "time"]
    assert sum(isinstance(value, str) for value in values) <= 1
    assert any(isinstance(value, (int, float, Decimal)) for value in values)


def test_a_channel_filters_and_its_quote_ends_no_string(stocked: tuple[Store, str]) -> None:
    """Catches: a filter that does nothing, and a value that is taken for SQL."""
    store, campaign = stocked
    (query,) = [query for query in STATEMENTS if "Regions" in query.where]
    amounts = [
        store.query(sql(query.text, _view(campaign, *channels)))[0]["GMV"]
        for channels in ((ALL,), CHANNELS[1:], ("nobody's' OR 1=1 --", "app"))
    ]
    # Eight orders of 60.00, half of them on either channel.
    assert amounts == [480, 240, 240]


def test_stock_lasts_as_long_as_it_is_sold(stocked: tuple[Store, str]) -> None:
    """Catches: a pace of one channel against the stock of all, or seconds taken for minutes."""
    store, campaign = stocked
    (query,) = [query for query in STATEMENTS if "Items" in query.where]
    (item,) = store.query(sql(query.text, _view(campaign, ALL)))
    # Eight orders of two pieces in the half hour that is looked at, and seven are left.
    assert (item["Pieces"], item["In stock"], item["GMV"]) == (16, 7, 400)
    assert item["Lasts for"] == 7 * 1800 / 16


def test_a_minute_of_the_chart_is_the_amount_of_its_orders(stocked: tuple[Store, str]) -> None:
    """Catches: an amount a minute that depends on how far the chart is zoomed."""
    store, campaign = stocked
    (query,) = [query for query in STATEMENTS if "GMV a minute" in query.where]
    view = _view(campaign, "app")
    rows = store.query(sql(query.text, view))
    assert [row["gmv"] for row in rows] == [60, 60, 60, 60]
    wide = View(view.start, view.end, view.variables, step_seconds=240)
    assert [row["gmv"] for row in store.query(sql(query.text, wide))] == [60]


@pytest.mark.parametrize("statement", ROLE)
def test_the_engine_understands_each_statement_of_the_role(store: Store, statement: str) -> None:
    """Catches: a statement with an error of syntax. Whether it does what it says needs a server."""
    with pytest.raises(StoreRejected, match=r"Code: (497|511)\."):
        store.command(statement)


def test_the_role_may_read_what_the_dashboards_ask_and_nothing_else() -> None:
    """Catches: a panel that shows an error to everybody but its author, and a right that nobody needs."""
    found = [re.match(r"GRANT SELECT ON (\S+) TO warroom_grafana$", each) for each in ROLE]
    granted = {match.group(1) for match in found if match}
    asked_for = {name for query in STATEMENTS for name in re.findall(r"\b(?:FROM|JOIN)\s+([a-z_.]+)", query.text)}
    named = {name if "." in name else f"warroom.{name}" for name in asked_for}
    # For those who look around in Explore.
    assert granted - named == {"warroom.bi_campaigns"}
    assert named <= granted
    assert all(re.match(r"(CREATE|GRANT SELECT ON|GRANT SHOW TABLES, SHOW COLUMNS ON)", each) for each in ROLE)
