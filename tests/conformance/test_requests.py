"""What is asked wrongly, and what is declared."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conformance.campaigns import DST, FESTIVAL, NEVER_PUT, PUTS
from tests.conformance.oracle import instant
from tests.conformance.system import System

GOOD: dict[str, Any] = {"name": "n", "start": "2025-01-01T00:00:00Z", "end": "2025-01-02T00:00:00+01:00"}
PHASE = {"name": "p", "start": "2025-01-01T01:00:00Z", "end": "2025-01-01T02:00:00Z"}


def problem(answer: httpx.Response, status: int | None, field: str) -> None:
    """The answer is an RFC 9457 document that names the field."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    assert answer.status_code == status if status else 400 <= answer.status_code < 500
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert field in answer.text, f"{answer.text} does not name {field}"


@pytest.mark.parametrize(
    ("call", "query", "field"),
    [
        ("overview", {"colour": "red"}, "colour"),
        ("overview", {"from_date": "2025-11-11"}, "from_date"),
        ("overview", {"from": "yesterday"}, "from"),
        ("overview", {"from": "2025-11-11T00:00:00"}, "from"),
        ("overview", {"to": "2025-13-11T00:00:00Z"}, "to"),
        ("timeseries", {"interval": "7x"}, "interval"),
        ("timeseries", {"interval": "0m"}, "interval"),
        ("timeseries", {"interval": "-1h"}, "interval"),
        ("timeseries", {"metrics": "gmv,profit"}, "metrics"),
        ("timeseries", {"group_by": "colour"}, "group_by"),
        ("timeseries", {"dimension": "channel"}, "dimension"),
        ("breakdown", {}, "dimension"),
        ("breakdown", {"dimension": "colour"}, "dimension"),
        ("breakdown", {"dimension": "channel", "metrics": "profit"}, "metrics"),
        ("breakdown", {"dimension": "channel", "order_by": "-profit"}, "order_by"),
        ("breakdown", {"dimension": "channel", "limit": "many"}, "limit"),
        ("breakdown", {"dimension": "channel", "limit": "0"}, "limit"),
        ("breakdown", {"dimension": "channel", "limit": "-1"}, "limit"),
        ("funnel", {"group_by": "colour"}, "group_by"),
        ("funnel", {"interval": "1m"}, "interval"),
        ("inventory", {"colour": "red"}, "colour"),
        ("breakdown", {"dimension": "channel", "format": "xml"}, "format"),
    ],
)
def test_bad_query(system: System, call: str, query: dict[str, str], field: str) -> None:
    """A parameter at fault is named; it never yields a number."""
    problem(system.http.get(f"/api/v1/campaigns/{FESTIVAL}/{call}", params=query), None, field)


@pytest.mark.parametrize(
    "path", ["", "/overview", "/timeseries", "/breakdown?dimension=channel", "/funnel", "/inventory", "/stream"]
)
def test_unknown_campaign(system: System, path: str) -> None:
    """Nobody declared it and no event named it, not even a refused one or a repeat."""
    for name in ("nobody-knows", "festival"):
        problem(system.http.get(f"/api/v1/campaigns/{name}{path}"), 404, name)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"name": 7}, "name"),
        ({"start": None}, "start"),
        ({"end": None}, "end"),
        ({"start": "soon"}, "start"),
        ({"start": "2025-01-01T00:00:00"}, "start"),
        ({"end": "2024-01-01T00:00:00Z"}, "end"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"gross_margin": "much"}, "gross_margin"),
        ({"phases": [{**PHASE, "end": "later"}]}, "phases"),
        ({"phases": [{"name": "p"}]}, "phases"),
        ({"phases": "none"}, "phases"),
        ({"targets": {"profit": 5}}, "targets"),
        ({"targets": {"gmv": "lots"}}, "targets"),
        ({"budgets": {"app": "lots"}}, "budgets"),
        ({"baseline_campaign_id": "not an id"}, "baseline_campaign_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_declaration(system: System, change: dict[str, Any], field: str) -> None:
    """The body's field at fault is named, and the campaign does not exist afterwards."""
    body = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    problem(system.http.put("/api/v1/campaigns/bad-one", json=body), None, field)
    assert system.ask("/campaigns/bad-one").status_code == 404


def test_no_declaration_at_all(system: System) -> None:
    """A body that is no JSON object, an id that is none, a path that is none."""
    for content in (b"{", b"[]", b'"text"', b""):
        answer = system.http.put(
            "/api/v1/campaigns/bad-one", content=content, headers={"Content-Type": "application/json"}
        )
        problem(answer, None, "")
    for name in ("a%20b", "c" * 65, "%E5%8F%8C"):
        problem(system.http.put(f"/api/v1/campaigns/{name}", json=GOOD), None, "")
    problem(system.http.get("/api/v1/no-such-thing"), 404, "")


def test_declaration_comes_back(system: System) -> None:
    """What was PUT is what is read, also by the list of all campaigns, and a second PUT replaces all of the first."""
    full = {**PUTS[FESTIVAL], "name": "once"}
    assert system.http.put("/api/v1/campaigns/put-1", json=full).is_success
    said = system.get("/campaigns/put-1")
    assert {name: said[name] for name in full} == full
    assert any(row["name"] == "once" for row in system.get("/campaigns")["rows"])

    assert system.http.put("/api/v1/campaigns/put-1", json={**GOOD, "phases": None}).is_success
    said = system.get("/campaigns/put-1")
    assert said["name"] == "n"
    assert (instant(said["start"]), instant(said["end"])) == (instant(GOOD["start"]), instant(GOOD["end"]))
    assert not said["phases"]
    assert not said["targets"]
    assert not said["budgets"]
    assert said["baseline_campaign_id"] is None
    assert said["gross_margin"] == 1


def test_a_declared_campaign_without_events(system: System) -> None:
    """It has a start and zeros; ratios have no denominator."""
    assert system.http.put("/api/v1/campaigns/quiet", json=GOOD).is_success
    answer = system.get("/campaigns/quiet/overview")
    assert instant(answer["from"]) == instant(GOOD["start"])
    assert answer["metrics"]["pv"] == 0
    assert float(answer["metrics"]["gmv"]) == 0
    assert answer["metrics"]["aov"] is None
    assert system.get("/campaigns/quiet/breakdown", dimension="channel")["rows"] == []
    assert system.get("/campaigns/quiet/inventory")["rows"] == []
    assert [row["users"] for row in system.get("/campaigns/quiet/funnel")["rows"]] == [0] * 6


def test_a_campaign_that_lies_ahead(system: System) -> None:
    """From its start to now there is nothing yet, which is no mistake of who asks."""
    ahead = {**GOOD, "start": "2100-01-01T00:00:00Z", "end": "2100-01-02T00:00:00Z"}
    assert system.http.put("/api/v1/campaigns/ahead", json=ahead).is_success
    assert system.get("/campaigns/ahead/overview")["metrics"]["pv"] == 0
    assert system.get("/campaigns/ahead/timeseries", interval="1h", metrics="gmv")["rows"] == []
    assert system.get("/campaigns/ahead/breakdown", dimension="item_id")["rows"] == []
    assert [row["users"] for row in system.get("/campaigns/ahead/funnel")["rows"]] == [0] * 6
    assert system.get("/campaigns/ahead/inventory")["rows"] == []


def test_campaigns_are_listed(system: System) -> None:
    """Declared or seen, each once."""
    listed = [row["id"] for row in system.get("/campaigns")["rows"]]
    assert len(set(listed)) == len(listed)
    assert {FESTIVAL, DST, NEVER_PUT} <= set(listed)
