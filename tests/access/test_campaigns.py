"""Two campaigns in one store, and people who may know of one of them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
from services.alerts.ledger import Ledger
from services.alerts.lifecycle import Life, State
from services.alerts.service import AlertsService
from services.common.access.service import AccessService
from services.common.runtime import build_app
from services.common.store import Store, StorePool
from services.metrics.service import MetricsService
from services.review.service import ReviewService
from tests.access.people import bearer, keys_in, locked_settings
from tests.support.shapes import judged
from tests.support.store import fresh_campaign

NOW_MS = 1_794_355_230_000
BODY = {"name": "Double 11", "start": "2026-11-10T20:00:00+08:00", "end": "2026-11-12T00:00:00+08:00"}


class Room:
    """`mine` is a campaign of everybody here but `outsider`, `theirs` one of those who have all of them."""

    def __init__(self, store: Store, path: Path) -> None:
        self.store = store
        self.mine, self.theirs = fresh_campaign("mine"), fresh_campaign("theirs")
        people = {
            "viewer": ("viewer", (self.mine,)), "operator": ("operator", (self.mine,)),
            "admin": ("admin", (self.mine,)), "chief": ("operator", ("*",)), "root": ("admin", ("*",)),
            "outsider": ("admin", ("nothing-*",)),
        }  # fmt: skip
        self.keys = keys_in(path, people)
        settings = locked_settings(path)
        self.access = AccessService(settings, store, lambda: NOW_MS)
        self.metrics = MetricsService(settings, store, clock=lambda: NOW_MS, background=False)
        self.alerts = AlertsService(settings, store, clock=lambda: NOW_MS)
        app = build_app([self.metrics, self.alerts, ReviewService(settings)], self.access)
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.ids: dict[str, str] = {}

    def client(self, who: str) -> httpx.AsyncClient:
        return judged(
            httpx.AsyncClient(
                transport=self._transport, base_url="http://127.0.0.1:8080", headers=bearer(self.keys[who]), timeout=60
            )
        )

    async def fire(self, campaign: str) -> None:
        labels = {} if campaign == "*" else {"campaign_id": campaign}
        print_ = fingerprint_of("stock_out", {**labels, "of": campaign})
        alert = Alert(
            id=alert_id(NOW_MS, print_), rule="stock_out", severity="critical", campaign_id=campaign, labels=labels,
            fingerprint=print_, life=Life(State.FIRING, NOW_MS, fired_at=NOW_MS), seq=1, value=0, threshold=1,
            summary="", runbook="", starts_at=NOW_MS, complete_until=NOW_MS, evidence={},
        )  # fmt: skip
        self.ids[campaign] = alert.id
        pool = StorePool(self.store, threads=1, name="test")
        await Ledger(pool).record([Transition(alert, NOW_MS)])
        await pool.close()

    def activity(self) -> list[dict[str, Any]]:
        return self.store.query(
            "SELECT * FROM activity WHERE campaign_id IN {ids:Array(String)} ORDER BY at, id",
            {"ids": [self.mine, self.theirs]},
        )


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> AsyncIterator[Room]:
    tables = ("alert_transitions", "alert_deliveries", "alert_silences")
    for table in tables:
        store.command(f"TRUNCATE TABLE {table}")
    made = Room(store, tmp_path / "keys.yaml")
    stop = asyncio.Event()
    running = [asyncio.create_task(part.run(stop)) for part in (made.access, made.metrics)]
    async with made.client("root") as root:
        for campaign in (made.mine, made.theirs):
            assert (await root.put(f"/api/v1/campaigns/{campaign}", json=BODY)).status_code == 200
    for campaign in (made.mine, made.theirs, "*"):
        await made.fire(campaign)
    await made.alerts.restore()
    yield made
    stop.set()
    await asyncio.wait_for(asyncio.gather(*running), 30)
    for table in tables:
        store.command(f"TRUNCATE TABLE {table}")


async def test_lists_hold_what_is_theirs(room: Room) -> None:
    for who, campaigns in (
        ("viewer", {room.mine}), ("chief", {room.mine, room.theirs}), ("outsider", set()),
    ):  # fmt: skip
        async with room.client(who) as client:
            rows = (await client.get("/api/v1/campaigns")).json()["rows"]
            ours = {room.mine, room.theirs}
            assert {row["id"] for row in rows} & ours == campaigns
            alerts = (await client.get("/api/v1/alerts")).json()["rows"]
            assert {row["campaign_id"] for row in alerts} == {*campaigns, "*"}
            # A page of one is full although others' alerts came before it.
            page = (await client.get("/api/v1/alerts?limit=1")).json()
            assert len(page["rows"]) == 1
            assert (page["next_cursor"] is None) == (len(alerts) == 1)
            rules = (await client.get("/api/v1/rules")).json()["rows"]
            assert sum(row["firing"] for row in rows_of(rules, "stock_out")) == len(campaigns) + 1
            for form in ("csv", "arrow", "parquet"):
                answer = await client.get(f"/api/v1/campaigns?format={form}")
                assert (room.theirs.encode() in answer.content) == (room.theirs in campaigns)


def rows_of(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["name"] == name]


async def test_a_hidden_campaign_is_like_one_that_never_was(room: Room) -> None:
    """Word for word, but for its name: on its own paths, in parameters, of its alerts."""
    never = fresh_campaign("never")
    async with room.client("operator") as client:
        for path in ("", "/overview", "/timeseries?metrics=gmv", "/stream", "/snapshot", "/funnel?group_by=nonsense"):
            hidden, absent = [
                await client.get(f"/api/v1/campaigns/{campaign}{path}") for campaign in (room.theirs, never)
            ]
            assert hidden.status_code == absent.status_code == 404
            assert hidden.text.replace(room.theirs, never) == absent.text
            assert hidden.headers.keys() == absent.headers.keys()
        base = f"/api/v1/campaigns/{room.mine}/overview?baseline=last_week:"
        hidden, absent = [await client.get(base + campaign) for campaign in (room.theirs, never)]
        assert hidden.status_code == 422
        assert hidden.text.replace(room.theirs, never) == absent.text
        for path in ("", "/page", "/curve.png"):
            hidden, absent = [
                await client.get(f"/api/v1/alerts/{each}{path}") for each in (room.ids[room.theirs], "never")
            ]
            assert hidden.status_code == absent.status_code == 404
            assert hidden.text.replace(room.ids[room.theirs], "never") == absent.text
        answer = await client.post(f"/api/v1/alerts/{room.ids[room.theirs]}/ack", json={"by": "x"})
        assert answer.status_code == 404
        assert (await client.get("/campaigns/" + room.theirs + "/review")).status_code == 404
    async with room.client("viewer") as client:
        assert (await client.get(f"/campaigns/{room.mine}/review")).status_code == 200


async def test_what_is_done_is_written_down(room: Room) -> None:
    async with room.client("operator") as client:
        # The name is that of the key, whatever the body says.
        answer = await client.post(f"/api/v1/alerts/{room.ids[room.mine]}/ack", json={"by": "mallory", "note": "on it"})
        assert answer.status_code == 200, answer.text
        assert [m["by"] for m in answer.json()["timeline"] if m["state"] == "acknowledged"] == ["operator"]
        # What is of no campaign is for those who have all.
        assert (await client.post(f"/api/v1/alerts/{room.ids['*']}/ack", json={})).status_code == 403
        silence = {"matchers": {"campaign_id": room.mine, "rule": "stock_out"}, "duration": "1h"}
        made = await client.post("/api/v1/silences", json=silence)
        assert (made.status_code, made.json()["by"]) == (201, "operator")
        assert (await client.get(f"/api/v1/campaigns/{room.mine}/timeseries?format=csv")).status_code == 200
    async with room.client("viewer") as client:
        assert (await client.delete(f"/api/v1/silences/{made.json()['id']}")).status_code == 403
        assert (await client.put(f"/api/v1/campaigns/{room.mine}", json=BODY)).status_code == 403
    async with room.client("admin") as client:
        body = {**BODY, "targets": {"gmv": "200.00"}, "baseline_campaign_id": room.theirs}
        assert (await client.put(f"/api/v1/campaigns/{room.mine}", json=body)).status_code == 403
        del body["baseline_campaign_id"]
        assert (await client.put(f"/api/v1/campaigns/{room.mine}", json=body)).status_code == 200
    done = [
        (row["actor"], row["role"], row["action"], row["result"]) for row in room.activity() if row["actor"] != "root"
    ]
    # Those of the same millisecond have no order.
    assert sorted(set(done)) == [
        ("admin", "admin", "campaign.put", "done"),
        ("admin", "admin", "campaign.put", "refused"),
        ("operator", "operator", "alert.acknowledge", "done"),
        ("operator", "operator", "export", "done"),
        ("operator", "operator", "silence.create", "done"),
        ("viewer", "viewer", "campaign.put", "refused"),
    ]
    (put,) = [row for row in room.activity() if (row["actor"], row["result"]) == ("admin", "done")]
    assert '"targets.gmv": {"from": null, "to": "200.00"}' in put["detail"]
    async with room.client("root") as client:
        told = (await client.get(f"/api/v1/activity?campaign_id={room.mine}&action=alert.acknowledge")).json()["rows"]
        assert [(row["actor"], row["target"]) for row in told] == [("operator", room.ids[room.mine])]
        pages = (await client.get(f"/api/v1/activity?campaign_id={room.mine}&limit=2")).json()
        assert len(pages["rows"]) == 2
        behind = (
            await client.get(f"/api/v1/activity?campaign_id={room.mine}&limit=2&cursor={pages['next_cursor']}")
        ).json()
        assert not {row["id"] for row in pages["rows"]} & {row["id"] for row in behind["rows"]}


@pytest.mark.parametrize(
    "matchers",
    [
        {"rule": "stock_out"},
        {"campaign_id": "{theirs}"},
        {"campaign_id": {"value": "{mine}|{theirs}", "isRegex": True}},
        {"campaign_id": {"value": "{theirs}", "isEqual": False}},
        {"campaign_id": {"value": "{mine}", "isRegex": True}},
    ],
)
async def test_a_silence_reaches_no_further_than_the_role(room: Room, matchers: dict[str, Any]) -> None:
    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: named(each) for name, each in value.items()}
        return value.format(mine=room.mine, theirs=room.theirs) if isinstance(value, str) else value

    body = {"matchers": named(matchers), "duration": "1h", "comment": "x"}
    async with room.client("operator") as operator, room.client("chief") as chief, room.client("viewer") as viewer:
        assert (await operator.post("/api/v1/silences", json=body)).status_code == 403
        made = await chief.post("/api/v1/silences", json=body)
        assert made.status_code == 201
        seen = "campaign_id" not in matchers
        rows = (await viewer.get("/api/v1/silences")).json()["rows"]
        assert [row["id"] for row in rows] == ([made.json()["id"]] if seen else [])
        ended = await operator.delete(f"/api/v1/silences/{made.json()['id']}")
        assert ended.status_code == (403 if seen else 404)


async def test_letters(room: Room) -> None:
    topic = fresh_campaign("letters") + ".orders"
    named = [f'{{"campaign_id": "{name}", "user_id": "u-1"}}' for name in (room.mine, room.theirs)]
    values = [*named, "no JSON", "{}"]
    rows = {
        "topic": pa.array([topic] * 4),
        "kafka_partition": pa.array([0] * 4, pa.uint16()),
        "kafka_offset": pa.array([1, 2, 3, 4], pa.uint64()),
        "arrived_at": pa.array([NOW_MS] * 4, pa.timestamp("ms", "UTC")),
        "reason": pa.array(["schema_violation"] * 4),
        "detail": pa.array(["d"] * 4),
        "key": pa.array(["k"] * 4),
        "value": pa.array([b64encode(value.encode()).decode() for value in values]),
    }
    room.store.insert("dead_letters", pa.table(rows), token=topic)
    expected = {"viewer": [1], "admin": [1], "outsider": [], "chief": [4, 3, 2, 1], "root": [4, 3, 2, 1]}
    for who, offsets in expected.items():
        async with room.client(who) as client:
            found = (await client.get(f"/api/v1/dead-letters?topic={topic}")).json()["rows"]
            assert [row["offset"] for row in found] == offsets
            shown = who == "root"
            assert all((row["value"] is not None) == (row["key"] is not None) == shown for row in found)
            one = await client.get(f"/api/v1/dead-letters/{topic}/0/1")
            assert one.status_code == (200 if shown else 403)
