"""`warroom receivers`: what somebody who sets receivers up is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.alerts.delivery.cli import receivers
from services.common.errors import ConfigurationError
from tests.alerts.delivery.server import Reply, serving
from tests.alerts.delivery.vendors import DingTalkVendor


def test_a_test_alert_and_its_end_reach_whom_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = DingTalkVendor()
    with serving(vendor.answer) as ding, serving(lambda _: Reply(404)) as gone:
        token, secret = vendor.secrets
        path = tmp_path / "receivers.yaml"
        path.write_text(
            "receivers:\n"
            "  - {name: ding, type: dingtalk, url: '${DING}', secret: '${SECRET}', language: zh}\n"
            f"  - {{name: gone, type: webhook, url: '{gone.url}'}}\n"
        )
        monkeypatch.setenv("WARROOM_RECEIVERS_FILE", str(path))
        monkeypatch.setenv("DING", f"{ding.url}/robot/send?access_token={token}")
        monkeypatch.setenv("SECRET", secret)
        checked = CliRunner().invoke(receivers, ["check", str(path)])
        assert (checked.exit_code, checked.output) == (0, "ding: dingtalk, right\ngone: webhook, right\n")
        well = CliRunner().invoke(receivers, ["test", "ding"])
        assert (well.exit_code, well.output) == (
            0,
            "ding: firing: taken, errcode 0\nding: resolved: taken, errcode 0\n",
        )
        assert "接收方测试" in vendor.texts(ding.received[0])[0]
        both = CliRunner().invoke(receivers, ["test"])
        assert both.exit_code == 1
        assert "gone: firing: NOT taken, HTTP 404" in both.output
        unknown = CliRunner().invoke(receivers, ["test", "nobody"])
        assert isinstance(unknown.exception, ConfigurationError)
        assert len(gone.received) == 1
