"""Every call of the OpenAPI document, asked by Schemathesis as the document allows and as it forbids."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.conftest import House

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
)
"""Not among them: whether what the document allows is taken. Most parameters are texts of which it says no more, and a
misspelt one is refused, as a wrong number would be worse. And whether what it forbids is refused: in a query everything
is a text, so that a filter by the texts `false` or `null` is none that it forbids."""

STREAM = "/api/v1/campaigns/{campaign_id}/stream"
"""Never ends; tests/metrics/test_stream.py and test_house.py ask it."""


def ask(house: House, folder: Path, *, examples: int, phases: str) -> list[dict[str, Any]]:
    """Runs Schemathesis and returns what failed: check, call, message and what was asked."""
    report = folder / "report.ndjson"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{house.room.url}/openapi.json",
        "--checks", ",".join(CHECKS), "--exclude-path", STREAM, "--phases", phases,
        "--max-examples", str(examples), "--seed", "11", "--continue-on-failure", "--no-shrink",
        "--request-timeout", "60", "--suppress-health-check", "all", "--warnings", "off", "--no-color",
        "--report", "ndjson", "--report-ndjson-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1500, check=False)
    assert report.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    failed, asked = [], 0
    for line in report.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is None:
            continue
        recorder = scenario["recorder"]
        for case, checks in recorder.get("checks", {}).items():
            asked += 1
            failed += [
                {
                    "check": check["name"],
                    "call": recorder["label"],
                    "message": check["failure_info"]["failure"]["message"][:300],
                    "asked": recorder["cases"].get(case, {}).get("value"),
                }
                for check in checks
                if check["status"] == "failure"
            ]
    assert asked > 200, done.stdout[-2000:] + done.stderr[-2000:]
    return failed


@pytest.mark.system
@pytest.mark.timeout(1600)
def test_no_call_fails_or_answers_what_the_document_does_not_say(house: House, tmp_path: Path) -> None:
    failed = ask(house, tmp_path, examples=12, phases="examples,coverage,fuzzing,stateful")
    assert not failed, json.dumps(failed[:5], indent=1, ensure_ascii=False)
