"""Browsers: signing in by a key and by a real provider, cookies that were tampered with, other sites, signing out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.access import farewells
from services.common.access.page import inside
from services.common.access.service import AccessService
from services.common.access.session import COOKIE, FLOW_COOKIE, Flow, Session, Sessions, session_keys
from services.common.clock import wall_clock
from services.common.errors import ConfigurationError, NotLetIn
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from tests.access.op import CLIENT, SECRET, Op, running_op
from tests.access.people import MINE, bearer, keys_in, locked_settings

BASE = "http://127.0.0.1:8080"
OURS = {"origin": BASE}
RULES = [{"claim": "groups", "value": "warroom-ops", "role": "operator", "campaigns": ["double-*"]}]


def browser(access: AccessService) -> httpx.AsyncClient:
    """Keeps cookies; follows nothing by itself."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(build_app([], access)), base_url=BASE)


@pytest.fixture
def op() -> Iterator[Op]:
    with running_op() as found:
        yield found


class Desk:
    def __init__(self, tmp_path: Path, **others: Any) -> None:
        self.now = wall_clock()
        self.path = tmp_path / "keys.yaml"
        self.keys = keys_in(self.path)
        self.access = AccessService(locked_settings(self.path, **others), None, lambda: self.now)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(desk.access) as found:
        yield found


async def sign_in(client: httpx.AsyncClient, key: str, **form: str) -> httpx.Response:
    return await client.post("/login", data={"key": key, **form}, headers=OURS)


async def test_a_key_signs_in_and_out(desk: Desk, client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/session")).status_code == 401
    answer = await sign_in(client, desk.keys["operator-mine"], next="/?campaign=double-11")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?campaign=double-11")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert desk.keys["operator-mine"] not in cookie
    told = (await client.get("/api/v1/session")).json()
    assert (told["name"], told["role"], told["operates"]) == ("operator-mine", "operator", ["double-*"])
    kept = client.cookies[COOKIE]
    answer = await client.post("/logout", headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert COOKIE not in client.cookies
    # Not even for one who has copied it.
    answer = await client.get("/api/v1/session", headers={"cookie": f"{COOKIE}={kept}"})
    assert answer.status_code == 401


async def test_who_signed_out_at_one_process_is_out_at_every_other(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches: a copied cookie that is good at a second `warroom metrics`, or again after a restart."""
    monkeypatch.setattr(farewells, "EVERY_SECONDS", 0.05)
    desk = Desk(tmp_path)
    key_file = tmp_path / "session.key"
    key_file.write_text("k" * 40)

    @asynccontextmanager
    async def process() -> AsyncIterator[httpx.AsyncClient]:
        access = AccessService(locked_settings(desk.path, session_key_file=key_file), store)
        stop = asyncio.Event()
        running = asyncio.create_task(access.run(stop))
        # Its first turn, in which it begins to take entries.
        await asyncio.sleep(0)
        try:
            async with browser(access) as found:
                yield found
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)

    async def goes_out(client: httpx.AsyncClient, cookie: str) -> None:
        status = 200
        async with asyncio.timeout(30):
            while status == 200:
                # No socket is between: without a pause the reading would never have its turn.
                await asyncio.sleep(0.02)
                answer = await client.get("/api/v1/session", headers={"cookie": cookie})
                status = answer.status_code
        assert status == 401

    async with process() as one, process() as other:
        await sign_in(one, desk.keys["operator-mine"])
        left = f"{COOKIE}={one.cookies[COOKIE]}"
        async with browser(AccessService(locked_settings(desk.path, session_key_file=key_file), None)) as elsewhere:
            await sign_in(elsewhere, desk.keys["operator-mine"])
            stays = f"{COOKIE}={elsewhere.cookies[COOKIE]}"
        assert (await other.get("/api/v1/session", headers={"cookie": left})).status_code == 200
        await one.post("/logout", headers=OURS)
        await goes_out(other, left)
        assert (await other.get("/api/v1/session", headers={"cookie": stays})).status_code == 200
    async with process() as restarted:
        await goes_out(restarted, left)
        assert (await restarted.get("/api/v1/session", headers={"cookie": stays})).status_code == 200


async def test_the_cookie_is_for_https_alone_where_people_come_by_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, external_url="https://warroom.example")
    async with browser(desk.access) as client:
        answer = await client.post(
            "/login", data={"key": desk.keys["viewer-all"]}, headers={"origin": "https://warroom.example"}
        )
    assert "; Secure" in answer.headers["set-cookie"]


async def test_a_wrong_key_is_told_so_and_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", data={"key": "wr_<script>", "lang": "zh"}, headers=OURS)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "密钥不存在" in answer.text
    assert "script" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]


async def test_a_revoked_key_ends_its_sessions_and_a_new_one_of_its_name_does_not_revive_them(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    await sign_in(client, desk.keys["viewer-all"])
    assert (await client.get("/api/v1/session")).status_code == 200
    keys_in(desk.path)
    book = desk.access._keys
    assert book is not None
    book._looked -= 10
    assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_session_ends(desk: Desk, client: httpx.AsyncClient) -> None:
    await sign_in(client, desk.keys["viewer-all"])
    desk.now += 12 * 3_600_000
    assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_header_wins_over_a_cookie(desk: Desk, client: httpx.AsyncClient) -> None:
    await sign_in(client, desk.keys["admin-all"])
    told = await client.get("/api/v1/session", headers=bearer(desk.keys["viewer-mine"]))
    assert told.json()["role"] == "viewer"
    assert (await client.get("/api/v1/session", headers=bearer("wr_wrong"))).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": BASE + ".evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 404),
        ({"x-warroom": "1"}, 404),
        (OURS, 404),
        ({**OURS, "sec-fetch-site": "cross-site"}, 404),
    ],
)
async def test_another_site_cannot_write_by_a_cookie(
    desk: Desk, client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    await sign_in(client, desk.keys["admin-all"])
    # There are no campaigns in this application: 404 is what lies behind the door.
    answer = await client.put(f"/api/v1/campaigns/{MINE}", json={}, headers=headers)
    assert answer.status_code == status
    # A key in a header is sent by nobody unasked.
    if "origin" not in headers and "sec-fetch-site" not in headers:
        keyed = {**headers, **bearer(desk.keys["admin-all"])}
        assert (await client.put(f"/api/v1/campaigns/{MINE}", json={}, headers=keyed)).status_code == 404


@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_another_site_signs_nobody_in_or_out(desk: Desk, client: httpx.AsyncClient, path: str) -> None:
    await sign_in(client, desk.keys["viewer-all"])
    for headers in ({"origin": "https://evil.example"}, {}):
        answer = await client.post(path, data={"key": desk.keys["viewer-all"]}, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert (await client.get("/api/v1/session")).status_code == 200


SESSION = Session("id", 2_000_000_000, key="viewer", mark="abc")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_cookie_that_was_changed_anywhere_is_not_believed(data: st.DataObject) -> None:
    sessions = Sessions(["k" * 32])
    text = sessions.write(SESSION)
    assert sessions.read(text, 0) == SESSION
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from('abcABC019-_.{" '))
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        try:
            # The last letter of base64 may hold bits that mean nothing.
            assert sessions.read(changed, 0) == SESSION
            assert place == len(text) - 1
        except NotLetIn:
            pass


def test_a_flow_is_no_session_and_another_key_signs_nothing() -> None:
    sessions = Sessions(["k" * 32])
    flow = sessions.write_flow(Flow("s", "n", "v", "/", 2_000_000_000))
    for text in (flow, Sessions(["o" * 32]).write(SESSION), "", "a.b"):
        with pytest.raises(NotLetIn):
            sessions.read(text, 0)


def test_keys_of_sessions_rotate(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    path.write_text("a" * 32)
    old = Sessions(session_keys(path))
    path.write_text("\n" + "b" * 32 + "\n" + "a" * 32 + "\n")
    both = Sessions(session_keys(path))
    assert both.read(old.write(SESSION), 0) == SESSION
    path.write_text("b" * 32)
    new = Sessions(session_keys(path))
    assert new.read(both.write(SESSION), 0) == SESSION
    with pytest.raises(NotLetIn):
        new.read(old.write(SESSION), 0)
    path.write_text("short")
    with pytest.raises(ConfigurationError, match="openssl rand"):
        session_keys(path)


@pytest.mark.parametrize(
    ("address", "goes"),
    [
        ("/", "/"), ("/rehearsal?x=1#y", "/rehearsal?x=1#y"), (None, "/"), ("", "/"), ("https://evil.example", "/"),
        ("//evil.example", "/"), ("/\\evil.example", "/"), ("/a\\b", "/"), ("/\tx", "/"), ("/login", "/"),
        ("javascript:alert(1)", "/"), ("/\r\nSet-Cookie: a=b", "/"), ("/" + "x" * 3000, "/"), ("/é", "/"),
    ],
)  # fmt: skip
def test_it_goes_on_to_our_own_pages_alone(address: str | None, goes: str) -> None:
    assert inside(address) == goes


def provider_desk(tmp_path: Path, op: Op) -> AccessService:
    (tmp_path / "secret").write_text(SECRET + "\n")
    return AccessService(
        Settings(
            oidc_issuer=op.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret_file=tmp_path / "secret",
            oidc_roles=RULES,
            external_url=BASE,
        ),
        None,
    )


async def at_provider(client: httpx.AsyncClient, path: str = "/login/provider?next=/rehearsal") -> str:
    """Where the provider sends the browser back to."""
    answer = await client.get(path)
    assert answer.status_code == 303
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce"} <= asked.keys()
    async with httpx.AsyncClient() as away:
        back = (await away.get(answer.headers["location"])).headers["location"]
    assert back.startswith(f"{BASE}/login/callback?")
    return back.removeprefix(BASE)


async def test_the_provider_signs_in(tmp_path: Path, op: Op) -> None:
    async with browser(provider_desk(tmp_path, op)) as client:
        assert "/login/provider" in (await client.get("/login")).text
        answer = await client.get(await at_provider(client))
        assert (answer.status_code, answer.headers["location"]) == (303, "/rehearsal")
        told = (await client.get("/api/v1/session")).json()
        assert told["name"] == "lin"
        assert told["grants"] == [{"role": "operator", "campaigns": ["double-*"]}]
        assert FLOW_COOKIE not in client.cookies


async def test_an_answer_belongs_to_the_browser_that_asked(tmp_path: Path, op: Op) -> None:
    access = provider_desk(tmp_path, op)
    async with browser(access) as client, browser(access) as other:
        back = await at_provider(client)
        # Another browser, one that has begun a sign-in of its own, another state, the same code twice.
        assert (await other.get(back)).status_code == 401
        await at_provider(other)
        assert (await other.get(back)).status_code == 401
        client_back = await at_provider(client)
        forged = re.sub(r"state=[^&]+", "state=forged", client_back)
        assert (await client.get(forged)).status_code == 401
        assert COOKIE not in client.cookies


async def test_a_token_of_another_sign_in_is_refused(tmp_path: Path, op: Op) -> None:
    op.nonce = "of another"
    async with browser(provider_desk(tmp_path, op)) as client:
        assert (await client.get(await at_provider(client))).status_code == 401
        assert COOKIE not in client.cookies


async def test_one_without_a_role_is_told_so(tmp_path: Path, op: Op) -> None:
    op.claims["groups"] = ["kitchen"]
    async with browser(provider_desk(tmp_path, op)) as client:
        answer = await client.get(await at_provider(client))
        assert answer.status_code == 401
        assert "no role" in answer.text
        assert COOKIE not in client.cookies


async def test_a_provider_that_refuses_or_is_away(tmp_path: Path, op: Op) -> None:
    async with browser(provider_desk(tmp_path, op)) as client:
        back = await at_provider(client)
        state = parse_qs(urlsplit(back).query)["state"][0]
        assert (await client.get(f"/login/callback?error=access_denied&state={state}")).status_code == 401
        back = await at_provider(client)
        op.down = True
        assert (await client.get(back)).status_code == 503


async def test_an_id_token_is_no_access_token(tmp_path: Path, op: Op) -> None:
    async with browser(provider_desk(tmp_path, op)) as client:
        token = op.token(wall_clock() // 1000, CLIENT)
        assert (await client.get("/api/v1/session", headers=bearer(token))).status_code == 401
