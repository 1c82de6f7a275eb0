"""kill -9 around pages: each incident is told, as one incident, and what people did about it holds."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from tests.alerts.receiver import Receiver, receiving
from tests.support.war_room import WarRoom, wait_until, war_room_in

pytestmark = pytest.mark.system

CAMPAIGN = "night"
ROUNDS = 4
SOON = 40.0
OPEN = ("firing", "acknowledged")


class Night:
    """One war room, killed again and again while items sell out; what it says must always fit together."""

    def __init__(self, room: WarRoom, receiver: Receiver, moments: random.Random) -> None:
        self.room = room
        self.receiver = receiver
        self.moments = moments
        self.items: list[str] = []
        self.ids: dict[str, str] = {}

    def stock(self, available: int, *items: str) -> None:
        """The level of these items now, acknowledged by the broker."""
        asyncio.run(_send(self.room.kafka, [(item, available) for item in items]))

    def sold_out(self) -> str:
        """A new item, which sells out."""
        self.items.append(f"sku-{len(self.items)}")
        self.stock(0, self.items[-1])
        return self.items[-1]

    def kill(self, *, within: float = 0.0) -> None:
        """kill -9 at some moment of the next seconds, and a new start; now and then that is killed as well."""
        time.sleep(self.moments.uniform(0, within))
        self.room.kill()

    def start(self) -> None:
        """Up again, and what it says fits together."""
        self.room.launch()
        if self.moments.random() < 0.3:
            time.sleep(self.moments.uniform(0.3, 3))
            self.room.kill()
            self.room.launch()
        self.room.wait_ready()
        self.check()

    def rows(self) -> dict[str, dict[str, Any]]:
        """The alerts by item. There must never be two of one item: nothing sells out twice here."""
        rows = get(self.room, "/api/v1/alerts", campaign_id=CAMPAIGN)["rows"]
        found = {row["labels"]["item_id"]: row for row in rows}
        assert {row["rule"] for row in rows} <= {"stock_out"}
        assert len(found) == len(rows), rows
        return found

    def check(self) -> None:
        """An incident keeps its id, whatever happens in between, and its transitions are in order."""
        for item, row in self.rows().items():
            if row["state"] == "pending":
                continue
            assert self.ids.setdefault(item, row["id"]) == row["id"]
            timeline = get(self.room, f"/api/v1/alerts/{row['id']}")["timeline"]
            moments = [datetime.fromisoformat(entry["at"]) for entry in timeline]
            assert moments == sorted(moments), timeline
            states = [entry["state"] for entry in timeline]
            whole = ["pending", "firing", *(["acknowledged"] if "acknowledged" in states else []), "resolved"]
            assert states == whole[: len(states)], timeline
            assert states[-1] == row["state"]

    def wait_state(self, state: str, *items: str) -> None:
        def reached() -> bool:
            rows = self.rows()
            return all(item in rows and rows[item]["state"] == state for item in items)

        wait_until(reached, SOON, f"{items} being {state}")

    def told(self, status: str) -> dict[str, list[dict[str, Any]]]:
        """What the receiver took, by item."""
        found: dict[str, list[dict[str, Any]]] = {}
        for body in list(self.receiver.bodies):
            for alert in body["alerts"]:
                if alert["status"] == status and alert["labels"]["campaign_id"] == CAMPAIGN:
                    found.setdefault(alert["labels"]["item_id"], []).append(alert)
        return found

    def wait_told(self, status: str, *items: str) -> None:
        wait_until(lambda: self.told(status).keys() >= set(items), SOON, f"{items} being told as {status}")


async def _send(servers: str, levels: list[tuple[str, int]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    try:
        for item, available in levels:
            event = {
                "event_id": uuid.uuid4().hex,
                "event_name": "stock_level",
                "event_time": datetime.now(UTC).isoformat(),
                "campaign_id": CAMPAIGN,
                "item_id": item,
                "available": available,
            }
            await producer.send_and_wait("campaign.inventory", json.dumps(event).encode(), item.encode())
    finally:
        await producer.stop()


def get(room: WarRoom, path: str, **parameters: Any) -> Any:
    answer = httpx.get(room.url + path, params=parameters, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(room: WarRoom, path: str, body: dict[str, Any]) -> None:
    answer = httpx.post(room.url + path, json=body, timeout=30)
    assert answer.is_success, answer.text


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    with receiving() as receiver:
        env = {"WARROOM_ALERT_WEBHOOK_URL": receiver.url}
        with war_room_in(tmp_path / "warroom", env=env) as room:
            room.start()
            yield Night(room, receiver, random.Random(seed))


@pytest.mark.timeout(600)
def test_kills_lose_no_page_and_make_no_second_incident(night: Night) -> None:
    room, receiver = night.room, night.receiver

    # Before it is recorded, or soon after.
    early = night.sold_out()
    night.kill(within=3)
    night.start()
    night.wait_told("firing", early)

    # Recorded and not yet delivered: the receiver is down.
    receiver.behaviour = lambda _: 503
    late = night.sold_out()
    night.wait_state("firing", late)
    night.kill(within=1)
    assert late not in night.told("firing")
    receiver.behaviour = lambda _: 200
    night.start()
    night.wait_told("firing", late)

    # Delivered and not yet known to be.
    seen = receiver.requests
    twice = night.sold_out()
    wait_until(lambda: receiver.requests > seen, SOON, "a page")
    night.kill()
    night.start()
    night.wait_told("firing", twice)

    # What people said before a kill holds after it.
    muted = f"sku-{len(night.items)}"
    post(
        room,
        "/api/v1/silences",
        {"matchers": {"item_id": muted}, "duration": "1h", "by": "lin", "comment": "being counted"},
    )
    post(room, f"/api/v1/alerts/{night.rows()[early]['id']}/ack", {"by": "lin", "note": "on it"})
    night.kill()
    assert night.sold_out() == muted
    night.start()
    night.wait_state("firing", muted)
    assert night.rows()[early]["state"] == "acknowledged"

    # At any moment: some sell out, some are back.
    for _ in range(ROUNDS):
        night.sold_out()
        fired = sorted(item for item, row in night.rows().items() if row["state"] in OPEN)
        if fired and night.moments.random() < 0.5:
            night.stock(500, night.moments.choice(fired))
        night.kill(within=8)
        if night.moments.random() < 0.5:
            night.sold_out()
        night.start()

    # While it resolves, and with the receiver down when it has.
    night.stock(500, late)
    night.kill(within=8)
    night.start()
    night.wait_state("resolved", late)
    receiver.behaviour = lambda _: 503
    night.stock(500, twice)
    night.wait_state("resolved", twice)
    night.kill(within=1)
    receiver.behaviour = lambda _: 200
    night.start()

    everything = set(night.items)
    wait_until(
        lambda: {i for i, row in night.rows().items() if row["state"] != "pending"} == everything, SOON, "firing"
    )
    night.stock(500, *night.items)
    night.wait_state("resolved", *night.items)
    loud = sorted(everything - {muted})
    night.wait_told("firing", *loud)
    night.wait_told("resolved", *loud)
    night.check()
    room.restart()
    night.check()
    assert not [row for row in night.rows().values() if row["state"] != "resolved"]

    for status in ("firing", "resolved"):
        told = night.told(status)
        assert muted not in told
        for item, pages in told.items():
            # However often it was told: one incident, by which a receiver knows it again.
            row = night.rows()[item]
            assert {page["annotations"]["alert_id"] for page in pages} == {row["id"]}
            assert len({(page["fingerprint"], page["startsAt"], page["endsAt"]) for page in pages}) == 1
    room.stop()
