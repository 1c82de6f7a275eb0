"""One real `warroom standalone` that everything is thrown at, one test after the other: each must leave it whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from schemas.http.requests import CAMPAIGN
from tests.examples.known import send_known
from tests.support.war_room import WarRoom, wait_until, war_room_in

DECLARED = {
    "name": "Double 11",
    "start": "2026-11-10T16:00:00Z",
    "end": "2026-11-11T16:00:00Z",
    "phases": [{"name": "burst", "start": "2026-11-10T16:00:00Z", "end": "2026-11-11T16:00:00Z"}],
}


@dataclass(frozen=True)
class House:
    """The standalone and a client of it."""

    room: WarRoom
    client: httpx.Client


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with war_room_in(tmp_path_factory.mktemp("hostile") / "data") as room:
        room.start()
        with httpx.Client(base_url=room.url, timeout=60) as client:
            assert client.put("/api/v1/campaigns/hostile", json=DECLARED).status_code == 200
            yield House(room, client)
            # Whatever was thrown at it, it is well and stops in order.
            assert client.get("/readyz").status_code == 200
        room.stop()


@pytest.fixture(scope="package")
def shop(house: House) -> House:
    """The same system when it has counted the events of the document's examples."""
    asyncio.run(send_known(house.room.kafka))

    def counted() -> bool:
        answer = house.client.get(f"/api/v1/campaigns/{CAMPAIGN}/overview")
        return answer.is_success and int(answer.json()["metrics"]["orders_paid"] or 0) > 0

    wait_until(counted, 60, "counting the example events")
    return house
