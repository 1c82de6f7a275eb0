"""`warroom standalone` as its operator meets it: starting, stopping, restarting, and being refused."""

from __future__ import annotations

import json
import random
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from services.common.clock import to_datetime, wall_clock
from services.standalone.runs import begin_run
from tests.support.war_room import WarRoom, wait_until, war_room_in

SOON = 15.0


async def send_page_views(war_room: WarRoom, count: int, prefix: str) -> None:
    """Sends page views of campaign `life`, each acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=war_room.kafka)
    await producer.start()
    for number in range(count):
        event = {
            "event_id": f"{prefix}{number}",
            "event_name": "page_view",
            "event_time": datetime.now(UTC).isoformat(),
            "campaign_id": "life",
            "user_id": f"u{number}",
        }
        await producer.send("campaign.traffic", json.dumps(event).encode(), event["user_id"].encode())
    await producer.stop()


def metric(war_room: WarRoom, name: str, campaign_id: str = "life") -> Any:
    """What the API says of a campaign; None while it knows no such campaign."""
    answer = httpx.get(f"{war_room.url}/api/v1/campaigns/{campaign_id}/overview", timeout=10)
    return answer.json()["metrics"][name] if answer.status_code == 200 else None


async def test_events_are_counted_and_all_state_survives_an_orderly_restart(war_room: WarRoom) -> None:
    await send_page_views(war_room, 30, "a")
    wait_until(lambda: metric(war_room, "pv") == 30, SOON, "counting 30 page views")
    war_room.restart()
    assert metric(war_room, "pv") == 30
    # A repeat of a known event after the restart, and new ones.
    await send_page_views(war_room, 31, "a")
    wait_until(lambda: metric(war_room, "pv") == 31, SOON, "counting one more")
    war_room.stop()


def test_every_part_is_served_on_the_one_port(war_room: WarRoom) -> None:
    with httpx.Client(base_url=war_room.url, timeout=10) as client:
        paths = ("/healthz", "/metrics", "/openapi.json", "/api/v1/metrics", "/api/v1/campaigns", "/api/v1/alerts",
                 "/api/v1/rules", "/api/v1/dead-letters")  # fmt: skip
        assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)


async def test_a_second_run_of_the_demo_is_a_campaign_of_its_own_and_ends_the_first(war_room: WarRoom) -> None:
    start = datetime.now(UTC) - timedelta(minutes=5)
    phases = [{"name": "all", "start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}]
    body = {"name": "first", "start": phases[0]["start"], "end": phases[0]["end"], "phases": phases,
            "targets": {"gmv": "100.00"}, "gross_margin": "0.3", "note": "real"}  # fmt: skip
    async with httpx.AsyncClient(base_url=war_room.url, timeout=10) as client:
        first = await begin_run(client, wall_clock())
        (await client.put(f"/api/v1/campaigns/{first}", json=body)).raise_for_status()
        ended_at = wall_clock()
        second = await begin_run(client, ended_at)
        declared = (await client.get(f"/api/v1/campaigns/{first}")).json()
        third = await begin_run(client, wall_clock())
    assert (first, second, third) == ("completejourney-18", "completejourney-18-2", "completejourney-18-2")
    assert datetime.fromisoformat(declared["end"]) == to_datetime(ended_at)
    assert declared["targets"] == {"total": {"gmv": "100.00"}, "phases": {}}
    assert (declared["note"], declared["phases"][0]["name"]) == ("real", "all")


def test_a_killed_one_is_started_again_at_once_on_the_broker_that_still_runs(war_room: WarRoom) -> None:
    before = war_room.brokers()
    war_room.kill()
    assert war_room.brokers() == before
    war_room.start()
    assert war_room.brokers() == before
    war_room.stop()
    assert war_room.brokers() == []


def test_a_second_one_on_the_same_directory_is_refused_and_the_first_goes_on(war_room: WarRoom) -> None:
    second = WarRoom(war_room.data_dir)
    second.launch()
    assert second.wait() == 2
    assert "is in use by process" in second.log()
    assert war_room.ready()
    war_room.stop()


@pytest.mark.parametrize("flag", ["http_port", "kafka_port"])
def test_an_occupied_port_is_a_sentence_and_leaves_no_broker(idle_room: WarRoom, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        setattr(idle_room, flag, port)
        idle_room.launch()
        assert idle_room.wait() == 2
    assert f"port {port} is taken by another program" in idle_room.log()
    assert "Traceback" not in idle_room.log()
    assert idle_room.brokers() == []


def test_sigterm_at_any_moment_of_the_start_ends_it_in_order(idle_room: WarRoom) -> None:
    # From when Python runs our first line; before that nothing can catch a signal, and nothing has been started.
    moments = random.Random(7)
    for _ in range(4):
        idle_room.launch()
        wait_until(idle_room.catches_sigterm, SOON, "taking over the signals")
        time.sleep(moments.uniform(0, 1.2))
        idle_room.stop()
    assert "Traceback" not in idle_room.log()


def test_further_signals_while_stopping_change_nothing(war_room: WarRoom) -> None:
    process = psutil.Process(war_room.pid)
    war_room.terminate()
    process.terminate()
    process.send_signal(2)
    assert war_room.wait() == 0
    assert war_room.brokers() == []


def test_the_brokers_death_ends_the_process_loudly(war_room: WarRoom) -> None:
    (broker,) = war_room.brokers()
    broker.kill()
    assert war_room.wait(30) == 2
    assert "the embedded broker ended by itself" in war_room.log()


def test_a_kafka_that_is_named_is_used_and_left_running(war_room: WarRoom) -> None:
    env = {"WARROOM_KAFKA_BOOTSTRAP_SERVERS": war_room.kafka, "WARROOM_CONSUMER_GROUP": "other"}
    with war_room_in(war_room.data_dir.with_name("other"), env=env) as other:
        other.start()
        assert other.brokers() == []
        other.stop()
    assert war_room.ready()


def test_the_demo_shows_real_orders_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with war_room_in(tmp_path / "demo", command="demo") as demo:
        demo.start()
        wait_until(lambda: demo.url in demo.log(), SOON, "printing the dashboard's address")
        wait_until(lambda: bool(metric(demo, "orders_paid", "completejourney-18")), 2 * SOON, "counting real orders")
        demo.stop()
        assert "Traceback" not in demo.log()
