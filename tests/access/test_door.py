"""The real commands: none listens to others without asking who they are, and a locked one works as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.access.people import bearer
from tests.support.broker import free_port
from tests.support.war_room import war_room_in

WARROOM = str(Path(sys.executable).with_name("warroom"))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    return subprocess.run(
        [WARROOM, *arguments], env={**clean, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "command",
    [["standalone", "--data-dir", "DIR"], ["ingest"], ["metrics"], ["alerts"], ["audit", "--every", "60"]],
    ids=lambda command: command[0],
)
def test_no_service_starts_open_to_others(command: list[str], tmp_path: Path) -> None:
    # Nobody listens there: who tried to reach it first would say so instead.
    given = {
        "WARROOM_HTTP_HOST": "0.0.0.0",
        "WARROOM_CLICKHOUSE_URL": "http://127.0.0.1:9/x",
        "WARROOM_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    }
    ended = run(*[part.replace("DIR", str(tmp_path / "d")) for part in command], **given)
    assert ended.returncode == 2, ended.stderr
    assert "WARROOM_API_KEYS_FILE" in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "d").exists()


def test_a_locked_standalone_listens_to_others_and_asks_them(tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    ended = run("keys", "add", "root", "--role", "admin", WARROOM_API_KEYS_FILE=str(keys))
    assert ended.returncode == 0, ended.stderr
    key = ended.stdout.strip()
    assert key not in keys.read_text()
    assert keys.stat().st_mode & 0o077 == 0
    kafka = free_port()
    given = {"WARROOM_HTTP_HOST": "0.0.0.0", "WARROOM_API_KEYS_FILE": str(keys)}
    with war_room_in(tmp_path / "room", kafka_port=kafka, env=given) as room:
        room.start()
        with httpx.Client(base_url=room.url, timeout=30) as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/metrics").status_code == 401
            assert client.get("/api/v1/campaigns").status_code == 401
            assert client.get("/", headers={"accept": "text/html"}).headers["location"] == "/login?next=%2F"
            assert client.get("/api/v1/campaigns", headers=bearer(key)).status_code == 200
            assert "warroom_http_requests_total" in client.get("/metrics", headers=bearer(key)).text
        (tmp_path / "key").write_text(key + "\n")
        asked = {"WARROOM_EXTERNAL_URL": room.url}
        refused = run("dead-letters", "list", **asked)
        assert refused.returncode == 2
        listed = run("dead-letters", "list", WARROOM_API_KEY_FILE=str(tmp_path / "key"), **asked)
        assert listed.returncode == 0, listed.stderr
        # Revoked while it runs.
        assert run("keys", "revoke", "root", WARROOM_API_KEYS_FILE=str(keys)).returncode == 0
        from tests.support.war_room import wait_until

        wait_until(
            lambda: httpx.get(f"{room.url}/api/v1/campaigns", headers=bearer(key), timeout=30).status_code == 401,
            30,
            "revoking a key",
        )
        assert key not in room.log()
        room.stop()
