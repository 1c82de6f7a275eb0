"""`warroom dead-letters` beside a running `warroom standalone`, each a process of its own, as in the war room."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from services.common.settings import Settings
from tests.ingest.harness import Record, order, produce, record, traffic
from tests.support.broker import free_port
from tests.support.war_room import WarRoom, wait_until, war_room_in


def command(*arguments: str, url: str | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
    """The finished command with its status and output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    where = ["--url", url] if url else []
    return subprocess.run(
        [str(Path(sys.executable).with_name("warroom")), "dead-letters", *where, *arguments],
        env={**clean, **env},
        capture_output=True,
        timeout=60,
        check=False,
    )


def said(room: WarRoom, *arguments: str) -> Any:
    """What the command says in JSON."""
    finished = command(*arguments, "--json", url=room.url)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def letters(room: WarRoom) -> list[dict[str, Any]]:
    """Every letter by the API, newest first."""
    rows: list[dict[str, Any]] = httpx.get(f"{room.url}/api/v1/dead-letters").json()["rows"]
    return rows


def place(row: dict[str, Any]) -> str:
    return f"{row['topic']}/{row['partition']}/{row['offset']}"


def test_beside_a_running_system(tmp_path: Path) -> None:
    with war_room_in(tmp_path / "room") as room:
        room.start()
        settings = Settings(kafka_bootstrap_servers=room.kafka)
        dollars = [record("orders", order("shop", currency="USD", value="10")) for _ in range(3)]
        odd: list[Record] = [
            ("traffic", b"\xff\x00", b"\x1b[31m\xfe"),
            ("traffic", b"k", json.dumps(traffic("shop", user_id="\x1b[31m" * 100)).encode()),
        ]
        asyncio.run(produce(settings, [*dollars, *odd]))
        wait_until(lambda: len(letters(room)) == 5, 90, "five letters")
        rows = letters(room)

        # For people: nothing that a producer sent reaches the terminal as it is.
        listed = command("list", url=room.url)
        assert listed.returncode == 0
        assert b"\x1b" not in listed.stdout
        assert all(place(row).encode() in listed.stdout for row in rows)

        (binary,) = [row for row in rows if row["reason"] == "invalid_json"]
        shown = command("show", place(binary), url=room.url).stdout
        assert b"not UTF-8" in shown
        assert b"00000000  1b 5b 33 31 6d fe" in shown
        (long,) = [row for row in rows if row["reason"] == "schema_violation"]
        raw = command("show", place(long), "--raw", url=room.url).stdout
        assert raw == odd[1][2]

        # One is put right in a file, one by a field; the others would be refused again and stay.
        right = tmp_path / "right.json"
        right.write_bytes(json.dumps(json.loads(raw) | {"user_id": "u1"}).encode())
        assert said(room, "redrive", place(long), "--file", str(right))["counts"] == {"sent": 1}
        first = next(row for row in rows if row["reason"] == "unsupported_currency")
        assert said(room, "redrive", place(first), "--set", "currency=CNY")["counts"] == {"sent": 1}
        refused = command("redrive", "--reason", "unsupported_currency", url=room.url)
        assert refused.returncode == 1
        assert b"2 would be refused again" in refused.stderr

        # The rate is configured: the same bytes go in, once.
        rated = WarRoom(
            room.data_dir,
            http_port=room.http_port,
            kafka_port=room.kafka_port,
            env={"WARROOM_CURRENCY_RATES": '{"USD": "7"}'},
        )
        room.stop()
        try:
            rated.start()
            assert said(rated, "redrive", "--all", "--reason", "unsupported_currency", "--dry-run")["counts"] == {
                "acceptable": 2
            }
            assert said(rated, "redrive", "--reason", "unsupported_currency")["counts"] == {"sent": 2}
            assert said(rated, "redrive", "--reason", "unsupported_currency")["counts"] == {}
            overview = f"{rated.url}/api/v1/campaigns/shop/overview"
            wait_until(
                lambda: httpx.get(overview).json()["metrics"]["paid_gmv"] == "150.00", 30, "counting what was redriven"
            )
            assert [row["reason"] for row in said(rated, "list", "--open")["rows"]] == ["invalid_json"]
            rated.stop()
        finally:
            rated.close()


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    finished = command("list", url=url)
    assert finished.returncode == 2
    assert url.encode() in finished.stderr
    assert b"--url" in finished.stderr
    # The embedded store admits one process: the command does not open it beside its owner.
    finished = command("list", WARROOM_CLICKHOUSE_URL="chdb:///nowhere", WARROOM_EXTERNAL_URL=url)
    assert url.encode() in finished.stderr
