"""A whole run with people planted in it: where they can be read afterwards, and who they are once they are erased."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from services.common.people import hashed
from services.common.people.key import local_keys
from tests.support.war_room import WarRoom, wait_until, war_room_in

MARK = "zplanted"
PEOPLE = [f"{MARK}.one@example.com", f"+8613800138000{MARK}", f"{MARK}-three"]
ADDRESS = f"https://{MARK}:pw@shop.example/p?mail={MARK}#{MARK}"
CAMPAIGN = "festival"
KEYS = {"traffic": "user_id", "orders": "order_id", "coupons": "coupon_id"}


def _events() -> list[tuple[str, dict[str, Any]]]:
    sent: list[tuple[str, dict[str, Any]]] = []
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    for number, person in enumerate(PEOPLE):
        who = {
            "event_time": now,
            "campaign_id": CAMPAIGN,
            "user_id": person,
            "channel": "app",
            "device_id": f"{MARK}-device",
            # Fields that nobody knows.
            "email": f"{MARK}@example.com",
            "ip": "203.0.113.77",
            "address": {"street": f"{MARK} street 1"},
        }
        # Plain, with an escape, and with a field that is null: each takes its own way through the decoders.
        visit = {"event_name": "page_view", "page_location": ADDRESS, "session_id": f"{MARK}-session-{number}"}
        sent.append(("traffic", {**who, **visit, "event_id": f"t{number}"}))
        sent.append(
            ("traffic", {**who, **visit, "event_id": f"v{number}", "item_category": "a\tb", "utm_source": None})
        )
        order = {"event_name": "order_paid", "order_id": f"o{number}", "value": "9.90", "currency": "CNY"}
        sent.append(("orders", {**who, **order, "event_id": f"o{number}"}))
        coupon = {"event_name": "coupon_claimed", "coupon_id": f"c{number}", "batch_id": "b"}
        sent.append(("coupons", {**who, **coupon, "event_id": f"c{number}"}))
    sent.append(("traffic", {**sent[0][1], "event_id": "refused", "event_name": "No Name"}))
    return sent


async def _send(kafka: str, events: list[tuple[str, dict[str, Any]]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        for kind, event in events:
            key = str(event[KEYS[kind]]).encode()
            await producer.send_and_wait(f"campaign.{kind}", json.dumps(event).encode(), key=key)
    finally:
        await producer.stop()


def _counts(room: WarRoom) -> dict[str, Any]:
    answer = httpx.get(f"{room.url}/api/v1/campaigns/{CAMPAIGN}/overview", timeout=30)
    metrics: dict[str, Any] = answer.json()["metrics"] if answer.is_success else {}
    return {name: metrics.get(name) for name in ("pv", "uv", "sessions", "buyers", "paid_gmv", "coupons_claimed")}


def _warroom(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("warroom")), "privacy", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _scan(room: WarRoom, *texts: str) -> set[str]:
    command = [sys.executable, "-m", "tests.privacy.scan", str(room.data_dir / "store"), *texts]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["looked"] > 100
    return set(answer["found"])


def test_people_are_nowhere_but_among_what_was_refused(tmp_path: Path) -> None:
    expected = {"pv": 6, "uv": 3, "sessions": 3, "buyers": 3, "paid_gmv": "29.70", "coupons_claimed": 3}
    with war_room_in(tmp_path / "room") as room:
        room.start()
        asyncio.run(_send(room.kafka, _events()))
        wait_until(lambda: _counts(room) == expected and len(_letters(room)) == 1, 90, "counting what was sent")
        (key,) = local_keys(room.data_dir / "store" / "user-keys").values()
        name = hashed(key, "user_id", PEOPLE[0])
        others = {"session_id": f"{MARK}-session-0", "device_id": f"{MARK}-device"}
        _look_at_answers(room, [name, *(hashed(key, column, each) for column, each in others.items())])
        room.stop()
        assert _scan(room, MARK, "203.0.113.77") == {"dead_letters.key", "dead_letters.value"}
        room.start()

        # The export is whole, and the next one of somebody erased is empty; a kill -9 on the way changes nothing.
        lines = [
            json.loads(line) for line in _warroom("export", "--user-id", PEOPLE[0], "--url", room.url).splitlines()
        ]
        tables = ["", "traffic_events", "traffic_events", "order_events", "coupon_events", "dead_letters"]
        assert [line["table"] for line in lines] == tables
        assert MARK not in json.dumps([line["row"] for line in lines[1:5]])
        with ThreadPoolExecutor(1) as threads:
            threads.submit(_erase_and_be_cut_off, room)
            wait_until(lambda: _any_erased(room), 90, "beginning to erase")
            room.kill()
        room.start()
        told = _warroom("erase", "--user-id", PEOPLE[0], "--url", room.url)
        assert "campaign.traffic" in told
        assert len(_warroom("export", "--user-id", PEOPLE[0], "--url", room.url).splitlines()) == 1
        assert _counts(room) == expected
        # The key outlives the process: a person who was seen before is no new one.
        seen = {**_events()[4][1], "event_id": "later"}
        asyncio.run(_send(room.kafka, [("traffic", seen)]))
        wait_until(lambda: _counts(room) == {**expected, "pv": 7}, 60, "counting one more")
        room.stop()
        assert MARK not in room.log()
        assert "203.0.113.77" not in room.log()
        assert _scan(room, name) == {"erased_people.pseudonym"}
        # The one refused record was of the person who is erased now.
        assert _scan(room, MARK, "203.0.113.77") == set()


def _letters(room: WarRoom) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = httpx.get(f"{room.url}/api/v1/dead-letters", timeout=30).json()["rows"]
    return rows


def _erase_and_be_cut_off(room: WarRoom) -> None:
    body = {"user_ids": [PEOPLE[0]]}
    with contextlib.suppress(httpx.TransportError):
        httpx.post(f"{room.url}/api/v1/privacy/erase", json=body, timeout=60)


def _any_erased(room: WarRoom) -> bool:
    return any("erased" in letter["detail"] for letter in _letters(room))


def _look_at_answers(room: WarRoom, names: list[str]) -> None:
    campaign = f"/api/v1/campaigns/{CAMPAIGN}"
    calls = [
        "/api/v1/campaigns", "/api/v1/alerts", "/api/v1/rules", "/metrics", "/openapi.json", campaign,
        f"{campaign}/overview", f"{campaign}/funnel", f"{campaign}/inventory", f"{campaign}/snapshot",
        f"{campaign}/cohorts", f"{campaign}/attribution", f"{campaign}/timeseries?metrics=uv,buyers",
        *(f"{campaign}/breakdown?dimension=channel&metrics=uv,buyers&format={form}" for form in ("csv", "arrow")),
        f"/campaigns/{CAMPAIGN}/review",
    ]  # fmt: skip
    for call in calls:
        answer = httpx.get(f"{room.url}{call}", timeout=60)
        assert answer.status_code == 200, call
        assert MARK.encode() not in answer.content, call
        assert not [name for name in names if name.encode() in answer.content], call
