"""Every call of the OpenAPI document, asked by Schemathesis as the document allows and as it forbids.

Bounded by numbers of cases, never by time. What is slow here is a live view of a filter that nobody looked at before,
and the proof of a day (`/api/v1/audit`): a busy machine makes minutes of some hundred of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from tests.hostile.conftest import House
from tests.support.shapes import Shapes

ROOT = Path(__file__).parents[2]
STREAM = "GET /api/v1/campaigns/{campaign_id}/stream"
"""Never ends; it is read to its first snapshot."""

NEVER_THERE = {
    "GET /api/v1/alerts/{alert_id}",
    "GET /api/v1/alerts/{alert_id}/page",
    "GET /api/v1/alerts/{alert_id}/curve.png",
    "POST /api/v1/alerts/{alert_id}/ack",
    "GET /api/v1/rehearsals/{name}",
}
"""Nothing fires on this server, and nobody rehearsed: these answer 404. tests/alerts and tests/metrics ask for what is
there."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
)
"""Not among them: that whatever the document allows is taken (`positive_data_acceptance`), for it cannot say that `to`
is not before `from`, that a metric has no such dimension, or that nobody knows the campaign. And the two about logins:
this server asks for none, and tests/access asks each call without one."""


@dataclass(frozen=True)
class Asked:
    """What one run of Schemathesis came to."""

    answers: dict[str, Counter[int]] = field(default_factory=dict)
    """How often each status was answered, by operation."""
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many calls were made."""
        return sum(statuses.total() for statuses in self.answers.values())


def ask(shop: House, folder: Path, *, phases: str, examples: int) -> Asked:
    """Runs Schemathesis over all operations but the stream, and returns what came of it."""
    report = folder / "report.ndjson"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{shop.room.url}/openapi.json",
        "--checks", ",".join(CHECKS), "--exclude-path", STREAM.partition(" ")[2], "--phases", phases,
        "--max-examples", str(examples), "--seed", "11", "--continue-on-failure", "--no-shrink",
        "--generation-database", "none", "--request-timeout", "60", "--suppress-health-check", "all",
        "--warnings", "off", "--no-color", "--report", "ndjson", "--report-ndjson-path", str(report),
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.hostile.hooks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    said = done.stdout[-3000:] + done.stderr[-3000:]
    assert report.exists(), said
    asked = Asked()
    lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if (error := line.get("NonFatalError") or line.get("FatalError")) is not None:
            raise AssertionError(f"{error}\n{said}")
        if (scenario := line.get("ScenarioFinished")) is not None:
            _take(scenario["recorder"], asked)
    assert any("EngineFinished" in line for line in lines), said
    # A failure that is in no report would be one that nobody reads.
    assert bool(asked.failed) == bool(done.returncode), said
    return asked


def _take(recorder: dict[str, Any], asked: Asked) -> None:
    cases = {name: case["value"] for name, case in recorder.get("cases", {}).items()}
    for name, interaction in recorder.get("interactions", {}).items():
        case = cases[name]
        answer = interaction["response"]
        assert answer is not None, f"no answer to {interaction['request']}"
        call = f"{case['method']} {case['path']}"
        asked.answers.setdefault(call, Counter())[answer["status_code"]] += 1
    for name, checks in recorder.get("checks", {}).items():
        asked.failed.extend(
            {
                "check": check["name"],
                "call": f"{cases[name]['method']} {cases[name]['path']}",
                "message": check["failure_info"]["failure"]["message"][:300],
                "asked": cases[name],
            }
            for check in checks
            if check["status"] == "failure"
        )


def operations(shop: House) -> set[str]:
    """Every call of the document but the stream, as a method and a path."""
    paths = shop.client.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} - {STREAM}


def judge(shop: House, asked: Asked) -> None:
    """No check failed; and every operation of the document was asked, so that none is left out in silence."""
    assert not asked.failed, json.dumps(asked.failed[:5], indent=1, ensure_ascii=False)
    assert not operations(shop) - asked.answers.keys()


@pytest.mark.timeout(300)
def test_no_call_fails_or_answers_what_the_document_does_not_say(shop: House, tmp_path: Path) -> None:
    judge(shop, ask(shop, tmp_path, phases="examples,fuzzing", examples=2))


@pytest.mark.system
@pytest.mark.timeout(1000)
def test_no_more_of_them_does(shop: House, tmp_path: Path) -> None:
    """Each bound of each parameter and body, methods that a path has not, and calls that follow from one another."""
    asked = ask(shop, tmp_path, phases="examples,coverage,fuzzing,stateful", examples=5)
    judge(shop, asked)
    # What was only ever refused at the door was not asked at all.
    assert not [
        call for call in operations(shop) - NEVER_THERE if not asked.answers[call][200] + asked.answers[call][201]
    ]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_a_stream_begins_as_the_document_says_or_is_refused(shop: House, mode: GenerationMode) -> None:
    method, _, path = STREAM.partition(" ")
    operation = schemathesis.openapi.from_url(f"{shop.room.url}/openapi.json")[path][method]
    document = shop.client.get("/openapi.json").json()
    shapes = Shapes(document)
    query = {
        "properties": {
            each["name"]: each["schema"]
            for each in document["paths"][path][method.lower()]["parameters"]
            if each["in"] == "query"
        },
        "additionalProperties": False,
    }
    seen: Counter[int] = Counter()

    @settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def begin(case: Case[Any]) -> None:
        given = case.as_transport_kwargs(base_url=shop.room.url)
        headers = {name: str(value) for name, value in given["headers"].items()}
        with shop.client.stream("GET", given["url"], params=given["params"], headers=headers) as answer:
            seen[answer.status_code] += 1
            if answer.status_code == 200:
                # Judged as it was sent: a number in place of a list of texts is, in a query, a list of one text.
                assert not shapes.judge(query, parse_qs(answer.request.url.query.decode(), keep_blank_values=True))
                assert answer.headers["content-type"].startswith("text/event-stream")
                assert not shapes.component("Snapshot", first_snapshot(answer))
            else:
                answer.read()
                assert answer.status_code < 500, answer.text
                assert answer.headers["content-type"] == "application/problem+json"
                assert not shapes.faults(answer)

    begin()
    assert seen.keys() <= {200, 404, 422}


def first_snapshot(answer: httpx.Response) -> Any:
    """The data of the stream's first snapshot, which comes within a second or two."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and name == "snapshot":
            return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended without a snapshot")
