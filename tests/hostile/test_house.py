"""Against the real system: what is asked of it and sent to it in bad faith."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.hostile.batches import GZIP, ZSTD, batch, bomb, send_raw
from tests.hostile.conftest import DECLARED, House

PAYLOADS = [
    "' OR 1=1 --",
    "'; DROP TABLE traffic_events; --",
    "') UNION ALL SELECT name FROM system.tables --",
    "\\' OR 1=1 --",
    "{campaign_id:String}",
    "%s %(x)s {0} {{7*7}} ${7*7}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "a\r\nSet-Cookie: x=1\r\n\r\n<html>",
    "nul\x00within",
    "\ufeff\u202e\U0001f3f4",
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "=cmd|' /C calc'!A0",
    "toString(sleep(3))",
    "campaign_id) FROM events FORMAT JSON --",
]
SHORT = ["' OR 1=1 --", "a\r\nSet-Cookie: x=1\r\n\r\n\x00", "9" * 400]
DIMENSIONS = [
    "channel", "region", "item_category", "item_id", "utm_source", "device_category", "phase", "customer_type",
]  # fmt: skip
CALLS = {
    "overview": ["from", "to", "baseline"],
    "timeseries": ["from", "to", "metrics", "interval", "group_by", "baseline", "format", "limit", "cursor"],
    "breakdown": ["dimension", "metrics", "order_by", "limit", "cursor", "format"],
    "funnel": ["group_by", "limit", "cursor"],
    "inventory": ["limit", "cursor"],
    "snapshot": ["at"],
    "pacing": ["limit"],
    "ladder": ["limit"],
    "attribution": ["limit", "model"],
    "cohorts": ["limit", "by"],
    "experiments": ["experiment", "control"],
}
OTHERS = {
    "/api/v1/campaigns": ["limit", "cursor", "format"],
    "/api/v1/alerts": ["campaign_id", "state", "severity", "incident", "limit", "cursor"],
    "/api/v1/dead-letters": ["reason", "topic", "from", "to", "after", "limit"],
    "/api/v1/rehearsals": ["limit"],
    "/api/v1/audit": ["day", "from", "to", "topic", "campaign"],
}
PATHS = [
    "/api/v1/campaigns/{}",
    "/api/v1/campaigns/{}/overview",
    "/api/v1/campaigns/{}/stream",
    "/api/v1/alerts/{}",
    "/api/v1/alerts/{}/page",
    "/api/v1/alerts/{}/curve.png",
    "/api/v1/dead-letters/{}/0/0",
    "/api/v1/dead-letters/campaign.orders/0/{}",
    "/api/v1/rehearsals/{}",
    "/campaigns/{}/review",
    "/assets/{}",
    "/{}",
]


def is_refused_or_empty(answer: httpx.Response) -> bool:
    """An error is a problem document, and says nothing of SQL; an answer of numbers counts nothing."""
    assert answer.status_code < 500, (answer.url, answer.text)
    assert "set-cookie" not in answer.headers
    if answer.status_code >= 400:
        if answer.headers["content-type"] == "application/problem+json":
            assert answer.json()["status"] == answer.status_code
        assert "DB::Exception" not in answer.text
        assert "Traceback" not in answer.text
    return True


@pytest.mark.parametrize(
    "payloads",
    [pytest.param(SHORT, id="a few"), pytest.param(PAYLOADS, id="all", marks=pytest.mark.system)],
)
def test_no_parameter_reaches_the_store_as_sql(house: House, payloads: list[str]) -> None:
    client = house.client
    for call, names in CALLS.items():
        for name in names:
            for payload in payloads:
                given = {name: payload}
                if call == "breakdown" and name != "dimension":
                    given["dimension"] = "channel"
                assert is_refused_or_empty(client.get(f"/api/v1/campaigns/hostile/{call}", params=given))
    for path, names in OTHERS.items():
        for name in names:
            for payload in payloads:
                assert is_refused_or_empty(client.get(path, params={name: payload}))


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("overview", {}),
        ("breakdown", {"dimension": "channel"}),
        ("funnel", {"group_by": "region"}),
        ("snapshot", {}),
    ],
)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_filter_reaches_the_store_as_sql(house: House, call: str, more: dict[str, str], dimension: str) -> None:
    """All of them at once: a filter takes several values."""
    answer = house.client.get(f"/api/v1/campaigns/hostile/{call}", params={**more, dimension: PAYLOADS})
    assert is_refused_or_empty(answer)
    if answer.status_code == 200 and call == "overview":
        metrics = answer.json()["metrics"]
        assert not any(float(metrics[each] or 0) for each in ("pv", "uv", "gmv", "paid_gmv"))


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_its_folder_or_into_the_store(house: House, path: str) -> None:
    secret = house.room.data_dir / "rehearsals" / "inside.json"
    assert not secret.exists()
    out = [
        *PAYLOADS,
        "..", ".", "../index.html", "..%2f..%2fpages.py", "%2e%2e/%2e%2e/pages.py", "....//pages.py", "..\\pages.py",
        "%00", "index.html%00.js", "C:\\windows", "/etc/passwd", "file:///etc/passwd", "~root", "\u2025/pages.py",
    ]  # fmt: skip
    for payload in out:
        for written in {quote(payload, safe=""), quote(payload, safe="/%.\\")}:
            answer = house.client.get(path.format(written))
            assert is_refused_or_empty(answer)
            kind = answer.headers["content-type"]
            assert answer.status_code != 200 or kind.startswith(("text/html", "application/json"))
            assert "root:" not in answer.text
            assert "from fastapi" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"[" * 100_000, 422, id="deep"),
        pytest.param(b'{"name":' * 50_000, 422, id="deep objects"),
        pytest.param(json.dumps({**DECLARED, "gross_margin": float("nan")}).encode(), 422, id="NaN"),
        pytest.param(json.dumps({**DECLARED, "gross_margin": float("inf")}).encode(), 422, id="infinity"),
        pytest.param(json.dumps({**DECLARED, "budgets": {"app": 10**400}}).encode(), 422, id="a number of 400 digits"),
        pytest.param(b'{"name": ' + b"9" * 200_000 + b"}", 422, id="a number of 200,000 digits"),
        pytest.param(b'{"budgets": {"app": 1e400000000}}', 422, id="an exponent"),
        pytest.param(b'{"name": "\xff\xfe"}', 422, id="not UTF-8"),
        pytest.param(json.dumps({**DECLARED, "name": "\ud800"}).encode(), 422, id="half of a pair"),
        pytest.param(
            json.dumps({**DECLARED, "timezone": "../../etc/passwd"}).encode(), 422, id="a zone that is a path"
        ),
        pytest.param(json.dumps({**DECLARED, "timezone": "UTC\0"}).encode(), 422, id="a zone with a NUL"),
        pytest.param(json.dumps({**DECLARED, "phases": [DECLARED["phases"]] * 1000}).encode(), 422, id="many phases"),
        pytest.param(json.dumps({**DECLARED, "end": "9999-12-31T23:59:59+00:00"}).encode(), 422, id="the end of time"),
        pytest.param(json.dumps({**DECLARED, "start": "0001-01-01T00:00:00+14:00"}).encode(), 422, id="its beginning"),
        pytest.param(
            json.dumps({**DECLARED, "start": "1971-01-01T00:00:00Z", "end": "2105-01-01T00:00:00Z"}).encode(),
            200,
            id="all of time",
        ),
        pytest.param(b"", 422, id="nothing"),
        pytest.param(b"null", 422, id="null"),
        pytest.param(b" " * (1 << 20) + b"{}", 413, id="too much"),
    ],
)
def test_a_declaration_is_refused_as_a_problem(house: House, body: bytes, status: int) -> None:
    answer = house.client.put("/api/v1/campaigns/bodies", content=body, headers={"content-type": "application/json"})
    # 400 is of the framework, for what is no JSON at all.
    assert answer.status_code in (status, 400 if status == 422 else status), answer.text[:500]
    assert is_refused_or_empty(answer)
    if status == 200:
        for call in ("overview", "timeseries", "pacing", "snapshot", "funnel"):
            assert is_refused_or_empty(house.client.get(f"/api/v1/campaigns/bodies/{call}"))


def test_of_a_key_that_is_given_twice_the_last_one_counts(house: House) -> None:
    body = json.dumps(DECLARED)[:-1] + ', "name": "second"}'
    answer = house.client.put("/api/v1/campaigns/twice", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["name"]) == (200, "second")


@pytest.mark.parametrize(
    "call", ["timeseries", "timeseries?group_by=item_id", "timeseries?interval=1d", "overview", "funnel"]
)
def test_a_hundred_years_are_answered_or_refused_at_once(house: House, call: str) -> None:
    joint = "&" if "?" in call else "?"
    period = "from=1970-01-01T00:00:00Z&to=2070-01-01T00:00:00Z"
    answer = house.client.get(f"/api/v1/campaigns/hostile/{call}{joint}{period}")
    assert is_refused_or_empty(answer)
    assert answer.status_code == (422 if call.startswith("timeseries") and "1d" not in call else 200)


def event(campaign: str, **fields: Any) -> bytes:
    return json.dumps(
        {
            "event_id": uuid.uuid4().hex,
            "event_name": "page_view",
            "event_time": "2026-11-11T00:00:00Z",
            "campaign_id": campaign,
            "user_id": "u",
            **fields,
        }
    ).encode()


def peak_mb(pid: int) -> int:
    """The most memory that a process has had at any time."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) >> 10


@pytest.mark.parametrize(
    ("codec", "size"), [pytest.param(GZIP, 800 << 20, id="gzip"), pytest.param(ZSTD, 8 << 30, id="zstd")]
)
async def test_a_bomb_in_the_topic_is_one_dead_letter_and_little_memory(house: House, codec: int, size: int) -> None:
    before = peak_mb(house.room.pid)
    packed = bomb(codec, size)
    known = counted(house, "bombed")
    await send_raw(house.room.kafka, "campaign.traffic", batch(packed, codec=codec), event("bombed"))
    deadline = time.monotonic() + 60
    while counted(house, "bombed") == known:
        assert time.monotonic() < deadline, house.room.log()[-2000:]
        await asyncio.sleep(0.2)
    assert peak_mb(house.room.pid) < before + 400
    letters = house.client.get("/api/v1/dead-letters", params={"reason": "too_large"}).json()["rows"]
    assert len(letters) >= 1
    assert "a batch of records is refused as a whole" in house.room.log()


def counted(house: House, campaign: str) -> int:
    answer = house.client.get(f"/api/v1/campaigns/{campaign}/overview", params={"to": "2026-11-12T00:00:00Z"})
    return 0 if answer.status_code == 404 else int(answer.json()["metrics"]["pv"])


def test_every_line_of_the_log_is_still_one_object(house: House) -> None:
    house.client.get("/api/v1/campaigns/a%0d%0a%7b%22level%22%3a%22error%22%7d/overview")
    lines = [line for line in house.room.log().splitlines() if line.startswith("{")]
    assert lines
    for line in lines:
        assert {"time", "level", "event"} <= json.loads(line).keys()
    assert not any("Traceback" in line for line in house.room.log().splitlines() if not line.startswith("{"))


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/api/v1/campaigns/hostile", "GET, PUT"), ("/api/v1/silences", "GET, POST"), ("/api/v1/alerts/x/ack", "POST")],
)
def test_a_wrong_method_is_told_all_right_ones(house: House, path: str, methods: str) -> None:
    """Found by Schemathesis: of a path with two routes the framework names the methods of the first."""
    answer = house.client.patch(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)
    assert is_refused_or_empty(answer)
