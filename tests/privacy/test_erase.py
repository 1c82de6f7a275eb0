"""Erasing people: nobody is left to be found, every figure is what it was, and being killed changes neither."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pyarrow as pa
import pytest

from services.audit.comparison import Comparison, Sure
from services.audit.rollups import all_rollups
from services.common.people import choose_key, hashed
from services.common.people.suspects import read_name_key
from services.common.query.folds import TABLES, fold_sql
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.migrate import migrate
from services.metrics.service import MetricsService
from services.privacy.desk import Actor, Desk
from services.privacy.erase import erase, erase_again
from services.privacy.people import find_keys
from tests.support.clickhouse_http.endpoint import running_endpoint
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

START = datetime(2026, 11, 11, tzinfo=UTC)
NOW_MS = 1_794_441_600_000
ME = Actor("tester", "command")


class Shop:
    """Two people who meet at one till, and one whom nobody wishes to forget; all rows named as ingest names them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.campaign = fresh_campaign("erase")
        self.gone, self.stays = f"{self.campaign}-gone@example.com", f"{self.campaign}-stays"
        key = choose_key(store, Settings())
        assert key is not None
        self.key = key

    def name(self, column: str, identity: str) -> str:
        return hashed(self.key, column, identity)

    def fill(self, day: int = 0) -> None:
        """All that there is, as it arrived on a day: the store drops what is the same in every column."""
        fill_all([self], day)

    def events(self, arrived: datetime) -> dict[str, list[dict[str, Any]]]:
        """Rows by table."""
        visits, orders, coupons = [], [], []
        for number, person in enumerate([self.gone, self.stays, self.gone, f"{self.campaign}-other"]):
            for step, event in enumerate(("page_view", "view_item", "add_to_cart", "begin_checkout")):
                visits.append(
                    {
                        **self._common(number, step, event, person),
                        "session_id": self.name("session_id", f"{person}-{number}"),
                        "utm_source": "feed",
                        "page_location": "https://shop.example/cart",
                    }
                )
            for step, event in enumerate(("order_created", "order_paid"), start=4):
                orders.append(
                    {
                        **self._common(number, step, event, person),
                        "order_id": f"{self.campaign}-order-{number}",
                        "device_id": self.name("device_id", f"phone of {person}"),
                        "value": money(1_000 + number),
                        "customer_type": "new",
                        "utm_source": "feed",
                    }
                )
            coupons.append(
                {
                    **self._common(number, 6, "coupon_claimed", person),
                    "coupon_id": f"{self.campaign}-coupon-{number}",
                    "batch_id": "b",
                    "device_id": "",
                    "order_id": "",
                }
            )
        return {
            table: [{**row, "arrived_at": arrived} for row in rows]
            for table, rows in (("traffic_events", visits), ("order_events", orders), ("coupon_events", coupons))
        }

    def _common(self, number: int, step: int, event: str, person: str) -> dict[str, Any]:
        return {
            "event_id": f"{self.campaign}-{number}-{step}",
            "event_name": event,
            "event_time": START + timedelta(hours=number, seconds=step),
            "campaign_id": self.campaign,
            "user_id": self.name("user_id", person),
            "channel": "app",
            "region": "CN-31",
        }

    @property
    def suspect(self) -> str:
        """What alerts call who goes."""
        return read_name_key(self.store).name(self.campaign, "user", self.name("user_id", self.gone))

    def alert(self, day: int) -> pa.Table:
        """The one alert that there is."""
        text = {"alert_id": self.campaign, "campaign_id": self.campaign, "rule": "order_brushing", "state": "resolved"}
        text |= {"labels": json.dumps({"user": self.suspect}), "summary": f"{self.suspect} paid often"}
        columns: dict[str, Any] = {name: pa.array([value]) for name, value in text.items()}
        columns |= {name: pa.array([START], pa.timestamp("ms", "UTC")) for name in ("at", "starts_at", "fired_at")}
        return pa.table({**columns, "seq": pa.array([1 + day], pa.uint32())})

    def letters(self, arrived: datetime) -> pa.Table:
        """Two records that name nobody who goes, and three that do."""
        bodies = [
            (None, json.dumps({"user_id": self.gone, "event_name": "??"}).encode()),
            (None, f'{{"user_id": "{self.gone}", cut'.encode()),
            (self.gone, b"nonsense"),
            (self.stays, json.dumps({"user_id": self.stays}).encode()),
            (None, json.dumps({"user_id": self.gone + "-not"}).encode()),
        ]
        rows = {
            "arrived_at": pa.array([arrived] * len(bodies), pa.timestamp("ms", "UTC")),
            "topic": pa.array([self.campaign] * len(bodies)),
            "kafka_partition": pa.array([1] * len(bodies), pa.uint16()),
            "kafka_offset": pa.array(range(len(bodies)), pa.uint64()),
            "reason": pa.array(["invalid_json"] * len(bodies)),
            "detail": pa.array(["some field"] * len(bodies)),
            "key": pa.array([key for key, _ in bodies], pa.string()),
            "value": pa.array([base64.b64encode(value).decode() for _, value in bodies]),
        }
        return pa.table(rows)

    async def figures(self) -> dict[str, Any]:
        """What the API tells of the campaign."""
        service = MetricsService(Settings(), self.store, clock=lambda: NOW_MS, background=False)
        transport = httpx.ASGITransport(build_app([service]))
        period = "from=2026-11-11T00:00:00Z&to=2026-11-12T00:00:00Z"
        calls = {
            "overview": period,
            "timeseries": f"{period}&metrics=uv,sessions,buyers,gmv,coupons_claimed&interval=1h",
            "breakdown": f"{period}&dimension=utm_source&metrics=uv,buyers,paid_gmv",
            "breakdown ": f"{period}&dimension=channel&metrics=uv,buyers,paid_gmv&region=CN-31",
            "funnel": period,
            "funnel ": f"{period}&group_by=channel",
            "attribution": period,
        }
        answers = {}
        async with httpx.AsyncClient(transport=transport, base_url="http://warroom") as client:
            for name, query in calls.items():
                answer = await client.get(f"/api/v1/campaigns/{self.campaign}/{name.strip()}?{query}")
                assert answer.status_code == 200, answer.text
                answers[name] = _without_clocks(answer.json())
        return {**answers, "sums": self.sums()}

    def sums(self) -> list[Any]:
        """Counts that any mixing up or splitting of people would change."""
        return [
            self.store.query(
                f"SELECT count() AS rows, uniqExact(user_id) AS people, uniqExact({other}) AS others, {amount} AS sum\n"
                f"FROM {table} WHERE campaign_id = {{campaign:String}}",
                {"campaign": self.campaign},
            )
            for table, other, amount in (
                ("traffic_events", "session_id", "0"),
                ("order_events", "device_id", "sum(value)"),
                ("coupon_events", "coupon_id", "0"),
            )
        ]

    def funnel(self) -> list[Any]:
        """How many people the folded funnel knows, and all that it knows of them."""
        return self.store.query(
            "SELECT uniqExact(user) AS people, sum(visit) AS visits, sum(length(steps)) AS steps\n"
            "FROM funnel_by_span FINAL WHERE campaign_id = {campaign:String}",
            {"campaign": self.campaign},
        )

    def traces(self) -> list[str]:
        """Where the one who goes can still be found, by any name that can be made of their id."""
        names = [self.name("user_id", self.gone), self.name("device_id", f"phone of {self.gone}"), self.suspect]
        names += [self.name("session_id", f"{self.gone}-{number}") for number in (0, 2)]
        found = []
        for table, columns in {
            "traffic_events": "user_id, session_id",
            "order_events": "user_id, device_id",
            "coupon_events": "user_id, device_id",
            "alert_transitions": "labels, evidence, summary, details",
        }.items():
            text = f"arrayStringConcat([{', '.join(f'toString({each})' for each in columns.split(', '))}], ' ')"
            (row,) = self.store.query(
                f"SELECT count() AS rows FROM {table}\n"
                f"WHERE arrayExists(name -> position({text}, name) > 0, {{n:Array(String)}})",
                {"n": names},
            )
            found += [table] * bool(row["rows"])
        letters = self.store.query(
            "SELECT key, tryBase64Decode(value) AS sent FROM dead_letters WHERE topic = {topic:String}",
            {"topic": self.campaign},
        )
        folded = "SELECT count() AS rows FROM funnel_by_span WHERE user = cityHash64({name:String})"
        if self.store.query(folded, {"name": names[0]}) != [{"rows": 0}]:
            found.append("funnel_by_span")
        if any(row["key"] == self.gone or f'"{self.gone}"' in row["sent"] for row in letters):
            found.append("dead_letters")
        return found


def fill_all(shops: Sequence[Shop], day: int = 0) -> None:
    """One insert a table, however many shops."""
    store, arrived = shops[0].store, START + timedelta(days=day)
    for table in ("traffic_events", "order_events", "coupon_events"):
        insert_rows(store, table, [row for shop in shops for row in shop.events(arrived)[table]])
    store.insert("alert_transitions", pa.concat_tables([shop.alert(day) for shop in shops]))
    store.insert("dead_letters", pa.concat_tables([shop.letters(arrived) for shop in shops]))


def _without_clocks(answer: Any) -> Any:
    if isinstance(answer, Mapping):
        return {key: _without_clocks(value) for key, value in answer.items() if key not in ("as_of", "watermark")}
    return [_without_clocks(each) for each in answer] if isinstance(answer, list) else answer


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A server of its own: an erasure rewrites every part of a table, and the run's store holds those of all tests."""
    with running_endpoint(tmp_path_factory.mktemp("erase")) as endpoint:
        made = endpoint.store(timeout_seconds=60)
        migrate(made)
        choose_key(made, Settings())
        yield made
        made.close()


@pytest.fixture
def shop(store: Store) -> Shop:
    made = Shop(store)
    made.fill()
    return made


async def test_who_is_erased_cannot_be_found_and_every_figure_stays(shop: Shop) -> None:
    before = await shop.figures()
    assert before["overview"]["metrics"]["buyers"] == 3
    assert len(shop.traces()) == 5
    done = Desk(shop.store, Settings(), lambda: NOW_MS).erase([shop.gone], ME)
    assert done["rows"] == {"traffic_events": 8, "order_events": 4, "coupon_events": 2}
    assert (done["letters"], done["alerts"]) == (3, 1)
    assert shop.traces() == []
    assert await shop.figures() == before
    kept = shop.store.query(
        "SELECT count() AS rows FROM dead_letters WHERE topic = {topic:String} AND value != ''",
        {"topic": shop.campaign},
    )
    assert kept == [{"rows": 2}]
    # That something was refused stays told: it was.
    refused = "SELECT count() AS rows FROM dead_letters WHERE topic = {topic:String}"
    assert shop.store.query(refused, {"topic": shop.campaign}) == [{"rows": 5}]
    assert shop.store.query("SELECT count() AS rows FROM erased_people WHERE secret != ''") == [{"rows": 0}]


def _problems(shop: Shop) -> list[Any]:
    everything = dict.fromkeys(("traffic", "orders", "coupons", "inventory", "spend"), Sure({}, 1 << 60))
    comparison = Comparison(shop.store, "2026-11-11", everything, shop.campaign)
    return [problem for rollup in all_rollups() for problem in comparison.of(rollup)[1]]


def test_an_audit_finds_nothing_wrong_with_an_erasure(shop: Shop) -> None:
    assert _problems(shop) == []
    Desk(shop.store, Settings(), lambda: NOW_MS).erase([shop.gone], ME)
    assert _problems(shop) == []
    # What the rollups know and no row tells is found as ever.
    shop.store.command(
        "ALTER TABLE order_events DELETE WHERE user_id = {user:String} SETTINGS mutations_sync = 2",
        {"user": shop.name("user_id", shop.stays)},
    )
    assert any("orders_paid" in str(problem) for problem in _problems(shop))


def test_erasing_twice_changes_nothing_more(shop: Shop) -> None:
    desk = Desk(shop.store, Settings(), lambda: NOW_MS)
    desk.erase([shop.gone], ME)
    once = _rows(shop)
    again = desk.erase([shop.gone], ME)
    assert sum(again["rows"].values()) == again["letters"] == again["alerts"] == 0
    assert _rows(shop) == once


def _rows(shop: Shop) -> list[Any]:
    return [
        shop.store.query(
            f"SELECT * FROM {table} WHERE campaign_id = {{campaign:String}} ORDER BY event_id",
            {"campaign": shop.campaign},
        )
        for table in ("traffic_events", "order_events", "coupon_events")
    ]


def test_no_statement_that_a_server_keeps_names_who_was_erased(shop: Shop) -> None:
    Desk(shop.store, Settings(), lambda: NOW_MS).erase([shop.gone], ME)
    kept = " ".join(row["command"] for row in shop.store.query("SELECT command FROM system.mutations"))
    fresh = shop.store.query(
        "SELECT DISTINCT user_id FROM order_events WHERE campaign_id = {campaign:String}", {"campaign": shop.campaign}
    )
    assert "UPDATE user_id" in kept
    for name in (shop.gone, shop.name("user_id", shop.gone), *(row["user_id"] for row in fresh)):
        assert name not in kept


class Killed(BaseException):
    """What `kill -9` is to the code: nothing runs after it."""


class Deadly:
    """A store that ends its caller before its `at`th change, counted from 0."""

    def __init__(self, store: Store, at: int) -> None:
        self._store = store
        self._left = at

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        if name not in ("insert", "command"):
            return call

        def change(*given: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                raise Killed
            return call(*given, **named)

        return change


def test_it_may_be_killed_anywhere_and_is_run_again(store: Store) -> None:
    # Letters, the list of who is gone, an alert, three tables, the funnel twice, the secret; and not killed at all.
    shops = [Shop(store) for _ in range(10)]
    fill_all(shops)
    _fold(store)
    before = [(shop.sums(), shop.funnel()) for shop in shops]
    for at, shop in enumerate(shops):
        keys = find_keys(store, Settings())
        people = [keys.person(shop.gone)]
        if shop is not shops[-1]:
            with pytest.raises(Killed):
                erase(cast(Store, Deadly(store, at)), people, keys)
            erase(store, people, keys)
        else:
            erase(cast(Store, Deadly(store, at)), people, keys)
        assert shop.traces() == [], f"killed at {at}"
    # All at the end: what one erasure did must not be undone by the next.
    assert [(shop.sums(), shop.funnel()) for shop in shops] == before


def _fold(store: Store) -> None:
    """What funnels and visitors know is of the days before these people go."""
    start = round(START.timestamp() * 1000)
    for kind in TABLES:
        for sql in fold_sql(kind):
            store.command(sql, {"start": start, "end": start + 86_400_000})


def test_rows_that_come_back_are_erased_again(shop: Shop) -> None:
    desk = Desk(shop.store, Settings(), lambda: NOW_MS)
    desk.erase([shop.gone], ME)
    # As a backup does that is restored, or a topic that is read from its start.
    shop.fill(day=1)
    assert set(shop.traces()) == {
        "traffic_events", "order_events", "coupon_events", "alert_transitions", "dead_letters",
    }  # fmt: skip
    done = erase_again(shop.store, find_keys(shop.store, Settings()))
    assert done.rows["order_events"] >= 4
    # Letters that are no JSON name nobody whom a hash could be made of: these two are told by their ids alone.
    assert set(shop.traces()) <= {"dead_letters"}
    desk.erase([shop.gone], ME)
    assert shop.traces() == []


def test_records_that_stream_in_meanwhile_are_all_there_and_who_was_there_before_is_gone(shop: Shop) -> None:
    """Catches: a row that is lost or doubled by a rewriting under it, and one of before that keeps its name."""
    gone, orders = shop.name("user_id", shop.gone), shop.events(START)["order_events"][:1]
    sent, stop = 0, threading.Event()

    def stream() -> None:
        nonlocal sent
        while not stop.is_set():
            row = {**orders[0], "event_id": f"{shop.campaign}-later-{sent}", "arrived_at": START + timedelta(days=2)}
            insert_rows(shop.store, "order_events", [row])
            sent += 1

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        Desk(shop.store, Settings(), lambda: NOW_MS).erase([shop.gone], ME)
    finally:
        stop.set()
        thread.join()
    assert sent > 1
    sold = shop.sums()
    assert sold[1][0]["rows"] == 8 + sent
    of_before = (
        "SELECT count() AS rows FROM order_events WHERE user_id = {name:String} AND position(event_id, '-later-') = 0"
    )
    assert shop.store.query(of_before, {"name": gone}) == [{"rows": 0}]
    # Whoever came in meanwhile is cut off by the next run, and nothing goes with it but the name.
    Desk(shop.store, Settings(), lambda: NOW_MS).erase([shop.gone], ME)
    assert shop.traces() == []
    assert [(each["rows"], each["sum"]) for (each,) in shop.sums()] == [(each["rows"], each["sum"]) for (each,) in sold]


def test_an_export_holds_all_that_is_under_a_name_and_nothing_of_others(shop: Shop) -> None:
    desk = Desk(shop.store, Settings(), lambda: NOW_MS)
    lines = list(desk.export(shop.gone, ME))
    assert json.loads(json.dumps(lines)) == lines
    tables = [line["table"] for line in lines[1:]]
    assert {table: tables.count(table) for table in tables} == {
        "traffic_events": 8,
        "order_events": 4,
        "coupon_events": 2,
        "alert_transitions": 1,
        "dead_letters": 3,
    }
    assert {line["row"]["user_id"] for line in lines if "events" in line["table"]} == {shop.name("user_id", shop.gone)}
    assert shop.stays not in json.dumps(lines)
    desk.erase([shop.gone], ME)
    assert [line["table"] for line in desk.export(shop.gone, ME)] == [""]


def test_each_act_is_in_the_activity_log_and_names_nobody(shop: Shop) -> None:
    desk = Desk(shop.store, Settings(), lambda: NOW_MS)
    list(desk.export(shop.gone, ME))
    desk.erase([shop.gone], ME)
    rows = shop.store.query("SELECT * FROM activity WHERE actor = 'tester' ORDER BY at, id")
    assert {"privacy.export", "privacy.erase"} <= {row["action"] for row in rows}
    assert shop.gone not in str(rows)
    assert shop.name("user_id", shop.gone) not in str(rows)
