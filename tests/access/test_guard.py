"""The door before an application that lets everybody in: who gets through to it, against a table of our own."""

from __future__ import annotations

import asyncio
import fnmatch
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from services.common.access import guard as guard_module
from services.common.access.roles import Grant, How, Principal, Reach, Role, Verdict, decide
from services.common.access.roles import Scope as Campaigns
from services.common.access.service import AccessService, refuse_open_door
from services.common.errors import ConfigurationError
from services.common.settings import Settings
from tests.access.people import MINE, PEOPLE, THEIRS, bearer, keys_in, locked_settings

V, O, A = "viewer", "operator", "admin"  # noqa: E741
C = "/api/v1/campaigns/{}"
# Least role, and whether it has to hold for all campaigns. `{}` is the campaign.
EXPECTED: dict[str, tuple[str, bool]] = {
    "GET /": (V, False),
    "GET /rehearsal": (V, False),
    "GET /openapi.json": (V, False),
    "GET /metrics": (V, True),
    "GET /api/v1/session": (V, False),
    "GET /api/v1/metrics": (V, False),
    "GET /api/v1/campaigns": (V, False),
    f"GET {C}": (V, False),
    f"PUT {C}": (A, False),
    **{
        f"GET {C}/{part}": (V, False)
        for part in (
            "overview", "timeseries", "breakdown", "funnel", "inventory", "pacing", "ladder", "attribution", "cohorts",
            "experiments", "stream", "snapshot",
        )
    },
    "GET /campaigns/{}/review": (V, False),
    "GET /api/v1/alerts": (V, False),
    "GET /api/v1/alerts/a-1": (V, False),
    "GET /api/v1/alerts/a-1/page": (V, False),
    "GET /api/v1/alerts/a-1/curve.png": (V, False),
    "POST /api/v1/alerts/a-1/ack": (O, False),
    "GET /api/v1/silences": (V, False),
    "POST /api/v1/silences": (O, False),
    "DELETE /api/v1/silences/s-1": (O, False),
    "GET /api/v1/rules": (V, False),
    "GET /api/v1/dead-letters": (V, False),
    "GET /api/v1/dead-letters/campaign.orders/0/5": (A, True),
    "POST /api/v1/dead-letters/redrive": (A, True),
    "GET /api/v1/rehearsals": (V, True),
    "GET /api/v1/rehearsals/one": (V, True),
    "GET /api/v1/audit": (O, True),
    "GET /api/v1/activity": (A, True),
}  # fmt: skip
RANK = [V, O, A]
CALLS = [(call.split(" ", 1), campaign) for call in EXPECTED for campaign in (MINE, THEIRS)]


async def everything(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers whatever it is asked."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"in"})


class House:
    def __init__(self, path: Path, **settings: object) -> None:
        self.path = path / "keys.yaml"
        self.keys = keys_in(self.path)
        self.access = AccessService(locked_settings(self.path, **settings), None)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.access.guard(everything)), base_url="http://127.0.0.1:8080"
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    async with made.client:
        yield made


@pytest.mark.parametrize("name", [None, *PEOPLE])
async def test_who_gets_where(house: House, name: str | None) -> None:
    for (method, path), campaign in CALLS:
        least, house_wide = EXPECTED[f"{method} {path}"]
        headers = bearer(house.keys[name]) if name else {}
        answer = await house.client.request(method, path.format(campaign), headers=headers)
        if name is None:
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"
            continue
        role, campaigns = PEOPLE[name]
        enough = RANK.index(role) >= RANK.index(least)
        everywhere = campaigns == ("*",)
        theirs = "{}" not in path or any(fnmatch.fnmatch(campaign, pattern) for pattern in campaigns)
        if enough and (everywhere or not house_wide) and theirs:
            assert answer.text == "in", (name, method, path, campaign, answer.text)
        elif enough and not theirs and least == V:
            assert answer.status_code == 404, (name, path)
            assert answer.json()["detail"] == f"no campaign named {campaign!r}"
        else:
            assert answer.status_code == 403, (name, method, path, campaign)
            assert answer.json()["status"] == 403


async def test_what_the_table_does_not_know_is_nowhere(house: House) -> None:
    known = bearer(house.keys["admin-all"])
    for path in ("/api/v2/campaigns", "/api/v1/campaigns/a/secrets", "/static/x"):
        assert (await house.client.get(path)).status_code == 401
        assert (await house.client.get(path, headers=known)).status_code == 404
    answer = await house.client.delete(C.format(MINE), headers=known)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT")


async def test_open_paths_let_everybody_in(house: House) -> None:
    for path in ("/healthz", "/readyz", "/login", "/favicon.svg", "/assets/index-1.js"):
        assert (await house.client.get(path)).text == "in"
        assert (await house.client.get(path, headers=bearer("wr_wrong"))).text == "in"


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer wr_wrong",
        "Bearer ",
        "Bearer",
        "Basic YWRtaW46YWRtaW4=",
        "",
        "Bearer a.b.c",
        "bearer null",
        "Bearer \xff",
    ],
)
async def test_what_does_not_hold_is_not_let_in(house: House, shown: str) -> None:
    raw = [(b"authorization", shown.encode("latin-1"))]
    answer = await house.client.get("/api/v1/campaigns", headers=raw)
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["www-authenticate"]
    assert "wr_wrong" not in answer.text


async def test_a_browser_is_led_to_the_login_and_back(house: House) -> None:
    answer = await house.client.get(f"/campaigns/{MINE}/review?lang=zh", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next=%2Fcampaigns%2F{MINE}%2Freview%3Flang%3Dzh"
    assert (await house.client.get("/api/v1/campaigns", headers={"accept": "text/html"})).status_code == 401


async def test_a_stream_ends_for_one_whose_key_is_revoked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "RECHECK_SECONDS", 0.05)
    book = house.access._keys
    assert book is not None
    book._looked, book._elapsed = 0, itertools.count().__next__
    ended = asyncio.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        ended.set()

    async def silence() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async def send(_: object) -> None:
        return

    key = house.keys["viewer-mine"]
    scope = {
        "type": "http", "method": "GET", "path": f"{C.format(MINE)}/stream", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode())],
    }  # fmt: skip
    running = asyncio.ensure_future(house.access.guard(stream)(scope, silence, send))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ended.wait(), 0.3)
    keys_in(house.path, {"viewer-all": PEOPLE["viewer-all"]})
    await asyncio.wait_for(ended.wait(), 20)
    await running


PATTERNS = st.lists(st.text("ab.-*", min_size=1, max_size=5), max_size=4).map(tuple)


@given(PATTERNS, st.text("ab.-", min_size=1, max_size=6))
def test_what_the_store_is_asked_for_is_what_is_held(patterns: tuple[str, ...], campaign: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    scope = Campaigns(patterns)
    by_store = not scope.regex or bool(pc.match_substring_regex(pa.scalar(campaign), scope.regex).as_py())
    assert by_store == scope.holds(campaign)
    assert scope.everything <= scope.holds(campaign)


@given(
    st.lists(st.tuples(st.sampled_from(list(Role)), PATTERNS), max_size=4),
    st.sampled_from([Reach.ANY, Reach.ONE, Reach.HOUSE]),
    st.sampled_from(list(Role)),
    st.text("ab.-", min_size=1, max_size=6),
)
def test_more_grants_never_allow_less_and_allowed_means_a_grant(
    given_: list[tuple[Role, tuple[str, ...]]], reach: Reach, role: Role, campaign: str
) -> None:
    grants = [Grant(each, Campaigns(patterns)) for each, patterns in given_]
    principal = Principal("p", tuple(grants), How.KEY)
    decision = decide(principal, reach, role, campaign)
    if decision.allowed:
        assert any(
            each >= role and (reach is Reach.ANY or any(fnmatch.fnmatchcase(campaign, p) for p in patterns))
            for each, patterns in given_
        )
    more = Principal("p", (*grants, Grant(Role.VIEWER, Campaigns(("b*",)))), How.KEY)
    assert decide(more, reach, role, campaign).allowed >= decision.allowed
    assert decide(None, reach, role, campaign).verdict is Verdict.WHO


@pytest.mark.parametrize(
    ("host", "opens"),
    [
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("", False), ("192.168.1.4", False), ("warroom.example", False),
    ],
)  # fmt: skip
def test_nobody_listens_to_others_without_asking_who_they_are(host: str, opens: bool, tmp_path: Path) -> None:
    if opens:
        refuse_open_door(Settings(http_host=host))
    else:
        with pytest.raises(ConfigurationError, match="WARROOM_API_KEYS_FILE"):
            refuse_open_door(Settings(http_host=host))
    keys_in(tmp_path / "keys.yaml")
    refuse_open_door(locked_settings(tmp_path / "keys.yaml", http_host=host))
