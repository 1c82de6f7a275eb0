"""The real `warroom audit`, on a directory, on one that is in use, and beside a running system."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.audit.period import period, today
from services.audit.scope import DAY_MS
from services.common.errors import InvalidRequest
from tests.support.audits import ask_for_audit, warroom_audit
from tests.support.traffic import Load
from tests.support.war_room import wait_until, war_room_in

MIDNIGHT = 20_000 * DAY_MS


def test_periods() -> None:
    now = MIDNIGHT + 5
    assert period(None, None, None, now) == (now - DAY_MS, now)
    assert period("2024-10-04", None, None, now) == (MIDNIGHT, now)
    assert period("2024-10-04T08:00:00+08:00", "2024-10-04T00:01:00Z", None, now) == (MIDNIGHT, MIDNIGHT + 60_000)
    assert period(None, None, "2024-10-04", now) == (MIDNIGHT, MIDNIGHT + DAY_MS)
    for wrong in (("x", None, None), ("2024-10-05", "2024-10-04", None), ("2024-10-04", None, "2024-10-04")):
        with pytest.raises(InvalidRequest):
            period(wrong[0], wrong[1], wrong[2], now)
    with pytest.raises(InvalidRequest):
        period(None, None, "2024-10-04T10:00", now)
    assert today(now, 60_000) == (MIDNIGHT - DAY_MS, now)
    assert today(now + 60_000, 60_000) == (MIDNIGHT, now + 60_000)


def spoil(directory: Path) -> None:
    """Deletes rows of the store, in a process of its own: in ours chDB may already be on another directory."""
    script = (
        "import sys; from services.common.store.clickhouse import open_store; "
        "store = open_store(sys.argv[1], timeout_seconds=30); "
        "store.command('ALTER TABLE order_events DELETE WHERE kafka_offset < 3 SETTINGS mutations_sync = 2'); "
        "store.close()"
    )
    subprocess.run([sys.executable, "-c", script, f"chdb://{directory}"], check=True, timeout=60)


@pytest.mark.timeout(400)
def test_beside_a_system_under_load_and_after_it(tmp_path: Path) -> None:
    with war_room_in(tmp_path / "room") as room:
        room.start()
        store = f"chdb://{room.data_dir.resolve()}/store"

        def counted() -> int:
            answer = httpx.get(f"{room.url}/api/v1/campaigns/audited/overview", timeout=30)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return 0
            metrics = answer.json()["metrics"]
            return int(metrics["pv"] + metrics["orders_created"])

        with Load(room.kafka, "audited", 7) as load:
            wait_until(lambda: counted() > 0, 60, "the first block")
            # Whatever is on its way: never a false alarm.
            for _ in range(2):
                report = ask_for_audit(room.url)
                assert report["clean"], report
                assert report["partitions"]
        sent = load.sent.page_views + load.sent.orders
        wait_until(lambda: counted() == sent, 60, "counting all that was sent")
        # Nothing is written before the last block is in the ledger too, but that may take a moment longer.
        report = ask_for_audit(room.url)
        assert report["clean"], report
        assert 0 < sum(each["rows"] for each in report["partitions"]) <= sent
        in_use = warroom_audit(WARROOM_CLICKHOUSE_URL=store)
        assert in_use.returncode == 2
        assert "belongs to one process" in in_use.stderr
        assert "--url" in in_use.stderr
        room.stop()
    done = warroom_audit(WARROOM_CLICKHOUSE_URL=store)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Clean: every check holds." in done.stdout
    spoil(tmp_path / "room" / "store")
    done = warroom_audit("--json", WARROOM_CLICKHOUSE_URL=store)
    assert done.returncode == 1, done.stderr
    assert {check for check, count in json.loads(done.stdout)["problems"].items() if count} == {"rows", "rollups"}


def test_what_cannot_be_audited_is_said_in_a_sentence(tmp_path: Path) -> None:
    for arguments, environment, sentence in (
        (["--every", "5"], {}, "set WARROOM_CLICKHOUSE_URL"),
        ([], {"WARROOM_EXTERNAL_URL": "http://127.0.0.1:1"}, "no Warroom answers at http://127.0.0.1:1"),
        ([], {"WARROOM_CLICKHOUSE_URL": f"chdb://{tmp_path}/nothing"}, "holds no store"),
        (["--url", "http://127.0.0.1:1"], {}, "no Warroom answers at http://127.0.0.1:1"),
        (["--day", "yesterday", "--url", "http://127.0.0.1:1"], {}, "--day"),
        (["--every", "5", "--day", "2026-11-11"], {}, "--every"),
    ):
        done = warroom_audit(*arguments, **environment)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
