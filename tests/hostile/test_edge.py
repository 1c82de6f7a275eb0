"""What stands before every service: decided without a socket, and then against the real server."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from hypothesis import given
from hypothesis import strategies as st

from services.common import prometheus
from services.common.access.service import unguarded
from services.common.edge import rules_of
from services.common.edge.headers import guarded
from services.common.edge.origins import foreign_host, foreign_page
from services.common.edge.rates import Rates, client_of
from services.common.runtime import run_services
from services.common.settings import Settings
from tests.support.broker import free_port
from tests.support.waiting import until

HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "warroom.shop.example"})


@pytest.mark.parametrize(
    ("host", "let_in"),
    [
        ("localhost:8080", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8080", True),
        ("[::1]:8080", True),
        ("warroom.shop.example", True),
        ("10.1.2.3:8080", True),
        ("10.1.2.4:8080", False),
        ("evil.example:8080", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.nip.io:8080", False),
        ("localhost@evil.example", False),
        ("localhost:8080:8080", False),
        ("localhost\t", False),
        ("", False),
        (None, True),
    ],
)
def test_it_answers_to_its_own_names(host: str | None, let_in: bool) -> None:
    assert (foreign_host(host, HOSTS, "10.1.2.3") is None) is let_in


@pytest.mark.parametrize(
    ("method", "headers", "let_in"),
    [
        # No browser: curl, Prometheus, a script.
        ("POST", {}, True),
        # The page itself.
        ("POST", {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"}, True),
        ("POST", {"origin": "https://warroom.shop.example", "sec-fetch-site": "same-origin"}, True),
        ("POST", {"sec-fetch-site": "none"}, True),
        # Somebody else's.
        ("POST", {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}, False),
        ("POST", {"origin": "http://evil.example"}, False),
        ("PUT", {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"}, False),
        ("POST", {"origin": "https://127.0.0.1:8080"}, False),
        ("POST", {"origin": "null"}, False),
        ("DELETE", {"sec-fetch-site": "cross-site"}, False),
        ("DELETE", {"sec-fetch-site": "same-site"}, False),
        # A link in a chat leads to the page; a script element to the numbers does not.
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, True),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, False),
        ("GET", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, True),
    ],
)
def test_other_sites_change_nothing_and_load_nothing(method: str, headers: dict[str, str], let_in: bool) -> None:
    found = foreign_page(
        method,
        "/api/v1/silences",
        {"host": "127.0.0.1:8080", **headers},
        "http",
        frozenset({"https://warroom.shop.example"}),
    )
    assert (found is None) is let_in


@given(st.integers(1, 600), st.lists(st.floats(0, 200), max_size=200))
def test_no_more_than_the_allowance_in_any_minute_and_no_less_for_who_waits(
    per_minute: int, pauses: list[float]
) -> None:
    """Against a plain reading: a bucket that holds a minute's worth and fills evenly."""
    rates = Rates(per_minute)
    now, tokens = 1000.0, float(per_minute)
    for pause in [*pauses, *([0.0] * per_minute)]:
        now += pause
        tokens = min(per_minute, tokens + pause * per_minute / 60)
        wait = rates.wait("a", now)
        if abs(tokens - 1) > 1e-6:
            assert (wait == 0) is (tokens > 1)
        if wait == 0:
            tokens -= 1
        else:
            assert wait == pytest.approx((1 - tokens) * 60 / per_minute, abs=1e-3)


def test_a_million_addresses_take_no_more_memory_than_one() -> None:
    rates = Rates(60)
    before = sys.getsizeof(rates._whole_at)
    allowed = sum(rates.wait(str(number), 1000.0) == 0 for number in range(100_000))
    assert allowed == 100_000
    assert sys.getsizeof(rates._whole_at) == before < 1 << 20


def test_who_is_one_client() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:1") != client_of("2001:db8:0:1::1")
    assert client_of("::ffff:10.0.0.1") == client_of("10.0.0.1") != client_of("10.0.0.2")
    assert client_of(None) == client_of("not an address") == "unknown"


def test_only_loopback_has_to_know_its_names() -> None:
    assert rules_of(Settings()).hosts == frozenset({"localhost", "127.0.0.1", "[::1]"})
    open_ = rules_of(Settings(external_url="https://warroom.shop.example/"))
    assert open_.hosts == frozenset({"localhost", "127.0.0.1", "[::1]", "warroom.shop.example"})
    assert open_.origins == frozenset({"https://warroom.shop.example"})
    assert rules_of(Settings(http_host="::1")).hosts is not None
    assert rules_of(Settings(http_host="0.0.0.0")).hosts is None
    # One process of ours asks another by this name.
    assert "alerts" in (rules_of(Settings(alerts_url="http://alerts:8080", allowed_hosts=("war.example",))).hosts or ())
    named = rules_of(Settings(http_host="0.0.0.0", allowed_hosts=("War.Example",))).hosts
    assert named is not None
    assert "war.example" in named


def test_an_answer_is_never_another_sites_to_read() -> None:
    headers = dict(guarded([(b"Access-Control-Allow-Origin", b"*"), (b"content-type", b"text/html")], https=False))
    assert not any(name.lower().startswith(b"access-control") for name in headers)
    assert b"strict-transport-security" not in headers
    assert b"strict-transport-security" in dict(guarded([], https=True))
    assert b"unsafe" not in headers[b"content-security-policy"]


class Room:
    """A service with one path of each kind."""

    name = "room"

    def __init__(self) -> None:
        self.router = APIRouter()
        self.read = 0
        self.release = asyncio.Event()

        @self.router.get("/page")
        async def page() -> Response:
            return HTMLResponse("<p>hello")

        @self.router.post("/api/echo")
        async def echo(request: Request, body: dict[str, Any]) -> dict[str, Any]:
            return body

        @self.router.post("/api/count")
        async def count(request: Request) -> dict[str, int]:
            async for part in request.stream():
                self.read += len(part)
            return {"read": self.read}

        @self.router.get("/api/wait")
        async def wait() -> dict[str, str]:
            await self.release.wait()
            return {"status": "ok"}

        @self.router.get("/api/endless")
        async def endless() -> Response:
            async def parts() -> AsyncIterator[bytes]:
                while True:
                    yield bytes(1 << 16)
                    await asyncio.sleep(0)

            return StreamingResponse(parts(), media_type="text/plain")

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()

    def not_ready(self) -> str | None:
        return None


@asynccontextmanager
async def served(**changes: Any) -> AsyncIterator[tuple[Room, httpx.AsyncClient, int]]:
    room, port, stop = Room(), free_port(), asyncio.Event()
    rules = replace(rules_of(Settings(http_port=port)), **changes)
    serving = run_services([room], unguarded(), host="127.0.0.1", port=port, rules=rules, stop=stop)
    running = asyncio.create_task(serving)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        while True:
            try:
                if (await client.get("/healthz")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        yield room, client, port
        stop.set()
        room.release.set()
    await asyncio.wait_for(running, 20)


async def test_every_answer_has_the_headers_also_a_refusal() -> None:
    async with served() as (_, client, port):
        answers = [
            await client.get("/page"),
            await client.get("/healthz"),
            await client.get("/nothing"),
            await client.get("/openapi.json"),
            await client.post("/api/echo", content=b"{"),
            await client.get("/page", headers={"host": "evil.example"}),
            await client.post("/api/echo", json={}, headers={"origin": "http://evil.example"}),
            await client.options("/api/echo", headers={"origin": "http://evil.example"}),
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 422, 421, 403, 405]
        for answer in answers:
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"]
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "server" not in answer.headers
            assert not any(name.startswith("access-control") for name in answer.headers)
        raw = await talk(port, b"NONSENSE\r\n\r\n")
        assert raw.startswith(b"HTTP/1.1 400 ")
        assert b"x-content-type-options: nosniff" in raw
        assert json.loads(raw.partition(b"\r\n\r\n")[2])["status"] == 400


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the server says to these bytes until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(60):
            while part := await reader.read(1 << 16):
                said += part
    except ConnectionError:
        # It hung up before it had read all.
        pass
    finally:
        writer.close()
    return said


async def test_a_body_is_counted_whatever_was_announced() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 14)

    async with served(body_bytes=10_000) as (room, client, _):
        announced = await client.post("/api/count", content=bytes(10_001))
        assert (announced.status_code, room.read) == (413, 0)
        assert announced.json()["title"] == "Content too large"
        assert (await client.post("/api/count", content=bytes(10_000))).json() == {"read": 10_000}
        try:
            streamed = await client.post("/api/count", content=chunks())
            assert streamed.status_code == 413
        except (httpx.WriteError, httpx.ReadError):
            # It hung up while we were still sending.
            pass
        assert room.read <= 10_000 + (1 << 17)
        packed = await client.post("/api/echo", content=b"x", headers={"content-encoding": "gzip"})
        assert packed.status_code == 415


async def test_the_framework_hides_no_refusal_of_a_body() -> None:
    head = b"POST /api/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    async with served(body_bytes=1000, body_seconds=0.3) as (_, client, _):
        port = client.base_url.port or 0
        assert (await talk(port, chunked, b"400\r\n" + b" " * 1024 + b"\r\n")).startswith(b"HTTP/1.1 413 ")
        assert (await talk(port, head + b"Content-Length: 9\r\n\r\n{")).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="says nothing"),
        pytest.param([b"GET / HT"], id="half a line"),
        pytest.param([b"GET /healthz HTTP/1.1\r\n", *[b"X-A: 1\r\n"] * 4], id="a header at a time"),
        pytest.param([b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET"], id="after a request"),
    ],
)
async def test_who_says_it_slowly_is_told_to_go(parts: list[bytes]) -> None:
    async with served(head_seconds=0.4) as (_, client, _):
        answer = await talk(client.base_url.port or 0, *parts, pause=0.05)
        assert b"HTTP/1.1 408 " in answer
        assert (await client.get("/healthz")).status_code == 200


async def test_hundreds_of_slow_ones_keep_nobody_out() -> None:
    """Slowloris: connections that never finish their head, more than may be open."""
    async with served(head_seconds=1.0, connections=200, connections_per_client=150, trusted_proxies="") as (
        _,
        client,
        port,
    ):
        slow = []
        for _ in range(300):
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            slow.append(connection)
        try:
            for _ in range(200):
                await asyncio.sleep(0.05)
                try:
                    answer = await client.get("/healthz")
                except httpx.TransportError:
                    continue
                if answer.status_code == 200:
                    break
            else:
                pytest.fail("never let in again")
        finally:
            for connection in slow:
                connection.close()


async def test_one_address_has_so_many_connections() -> None:
    async with served(connections_per_client=5, trusted_proxies="") as (_, client, port):
        await client.aclose()
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        while b"503" not in await talk(port):
            held.append(await asyncio.open_connection("127.0.0.1", port))
        assert len(held) <= 6
        for _, writer in held:
            writer.close()


async def test_too_often_is_told_when_to_come_again_and_probes_are_always_answered() -> None:
    async with served(client_requests_per_minute=5) as (_, client, _):
        answers = [await client.get("/page") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert answers[-1].json()["title"] == "Too many requests"
        assert [(await client.get("/readyz")).status_code for _ in range(10)] == [200] * 10
        elsewhere = await client.get("/page", headers={"x-forwarded-for": "203.0.113.9"})
        assert elsewhere.status_code == 200
    async with served(client_requests_per_minute=5, trusted_proxies="10.0.0.0/8") as (_, client, _):
        # Whoever is no proxy of ours is believed nothing.
        answers = [await client.get("/page", headers={"x-forwarded-for": f"203.0.113.{n}"}) for n in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    async with served(client_changes_per_minute=2) as (_, client, _):
        assert [(await client.post("/api/echo", json={})).status_code for _ in range(3)] == [200, 200, 429]
        assert (await client.get("/page")).status_code == 200


async def test_an_answer_begins_in_time_or_not_at_all_and_no_more_are_under_way_than_may() -> None:
    async with served(answer_seconds=0.3) as (_, client, _):
        slow = await client.get("/api/wait")
        assert (slow.status_code, slow.json()["title"]) == (503, "Too slow")
        assert slow.headers["retry-after"] == "1"
    async with served(requests_at_once=3) as (room, client, _):
        waiting = [asyncio.create_task(client.get("/api/wait")) for _ in range(3)]
        async with asyncio.timeout(60):
            while (busy := await client.get("/page")).status_code == 200:
                pass
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        room.release.set()
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 3
        assert (await client.get("/page")).status_code == 200


async def test_who_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.common.edge.connections._LOOK_SECONDS", 0.3)
    refused = prometheus.HTTP_REFUSED.labels("slow-reader")._value
    before = refused.get()
    async with served() as (_, _, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /api/endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        loop = asyncio.get_running_loop()
        await until(lambda: refused.get() > before)

        def rest() -> int:
            size = 0
            try:
                while part := connection.recv(1 << 16):
                    size += len(part)
            except ConnectionError:
                return size
            return size

        # It ends although nobody stops sending.
        await asyncio.wait_for(loop.run_in_executor(None, rest), 60)
        connection.close()


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/page?" + "a" * (16 << 10), {}, 414),
        ("/page", {f"x-{number}": "1" for number in range(120)}, 431),
        ("/page?" + "a" * (200 << 10), {}, 400),
    ],
)
async def test_a_head_has_its_bounds(target: str, headers: dict[str, str], status: int) -> None:
    async with served() as (_, client, _):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = await talk(
            client.base_url.port or 0, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode()
        )
        assert (status == 400 and not answer) or int(answer.split(b" ")[1]) == status


async def test_a_method_that_somebody_made_up_is_no_label() -> None:
    async with served() as (_, client, _):
        for number in range(20):
            assert (await client.request(f"FORGED{number}", "/page")).status_code == 405
        text = (await client.get("/metrics")).text
        assert "FORGED" not in text
        assert 'method="other"' in text
