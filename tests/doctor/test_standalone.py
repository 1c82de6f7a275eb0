"""A Warroom in order: the doctor finds nothing to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.conftest import examine
from tests.support.war_room import war_room_in


def test_a_standalone_that_runs_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with war_room_in(tmp_path / "warroom") as room:
        room.start()
        monkeypatch.setenv("WARROOM_KAFKA_BOOTSTRAP_SERVERS", room.kafka)
        monkeypatch.setenv("WARROOM_CLICKHOUSE_URL", f"chdb://{tmp_path}/warroom/store")
        monkeypatch.setenv("WARROOM_TOPIC_PARTITIONS", "1")
        report = examine("--url", room.url)
    assert report.bad() == ["receivers: nobody is told of alerts"]
    assert report.status == 0
    assert report.says("ok", f"{room.url} is ready")
    assert report.says("ok", "all 6 are as they should be")
    assert report.says("ok", f"{room.url} serves this machine without a login")
