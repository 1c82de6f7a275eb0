"""One contract for every sink, each against its vendor: what is delivered, retried, refused, and what may not leak."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.receivers import Language
from services.alerts.alert import Transition
from services.alerts.delivery.sinks.alertmanager import Alertmanager
from services.alerts.delivery.sinks.base import Attempt, Context, Sink
from services.alerts.delivery.sinks.feishu import Feishu
from services.alerts.delivery.sinks.http import HttpSink, encode
from services.common.clock import wall_clock
from services.common.logs import configure_logs
from tests.alerts.delivery.notices import NOW, notice
from tests.alerts.delivery.server import Received, Reply, Server, reply, serving
from tests.alerts.delivery.vendors import VENDORS, Vendor

every_vendor = pytest.mark.parametrize("vendor", [v() for v in VENDORS], ids=[v.__name__ for v in VENDORS])


def context(vendor: Vendor, language: Language = "en") -> Context:
    mentions = [vendor.mention] if vendor.mention is not None else []
    return Context("test", "http://war.room", NOW, language, mentions)


@asynccontextmanager
async def at(
    vendor: Vendor, *, answer: Reply | None = None, timeout_seconds: float = 10.0
) -> AsyncIterator[tuple[Sink, Server]]:
    """A sink and its vendor, which answers as it does or as it is told."""
    with serving(vendor.answer if answer is None else lambda _: answer) as server:
        sink = vendor.sink(server.url, timeout_seconds)
        try:
            yield sink, server
        finally:
            await sink.close()


async def tell(sink: Sink, vendor: Vendor, *notices: Transition) -> Attempt:
    return await sink.send(sink.render(notices, context(vendor)), wall_clock())


def told(vendor: Vendor, server: Server) -> str:
    return "\n".join(vendor.texts(server.received[-1]))


@every_vendor
async def test_firing_and_resolved_are_taken(vendor: Vendor) -> None:
    async with at(vendor) as (sink, server):
        for kind in ("firing", "resolved"):
            attempt = await tell(sink, vendor, notice(kind))
            assert attempt.delivered, (attempt, server.replies)
            if kind == "firing" or vendor.kind != "pagerduty":
                assert "Item sku-1 is sold out" in told(vendor, server)
                if vendor.kind not in {"alertmanager", "webhook", "pagerduty"}:
                    assert kind in told(vendor, server) or kind in server.received[-1].body.decode()


@every_vendor
async def test_every_notice_that_it_takes_is_taken(vendor: Vendor) -> None:
    async with at(vendor) as (sink, server):
        for kind in sorted(sink.takes):
            assert (await tell(sink, vendor, notice(kind))).delivered, (kind, server.replies)


@every_vendor
async def test_told_too_much_it_is_left_alone_for_as_long_as_it_wants(vendor: Vendor) -> None:
    async with at(vendor, answer=vendor.limited) as (sink, _):
        attempt = await tell(sink, vendor, notice())
    assert (attempt.delivered, attempt.retry) == (False, True)
    assert vendor.pause_ms <= attempt.retry_after <= 600_000


@every_vendor
async def test_a_refusal_is_final_and_says_why(vendor: Vendor) -> None:
    async with at(vendor, answer=vendor.refused) as (sink, _):
        attempt = await tell(sink, vendor, notice())
    assert (attempt.delivered, attempt.retry) == (False, False)
    assert any(character.isdigit() for character in attempt.detail)


@every_vendor
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(503, headers={"Retry-After": "2"}), id="503"),
        pytest.param(Reply(hang_up=True), id="hangs up"),
        pytest.param(Reply(delay=2), id="says nothing"),
    ],
)
async def test_what_may_pass_is_retried(vendor: Vendor, answer: Reply) -> None:
    async with at(vendor, answer=answer, timeout_seconds=0.2 if answer.delay else 10.0) as (sink, _):
        attempt = await tell(sink, vendor, notice())
    assert (attempt.delivered, attempt.retry) == (False, True)
    assert attempt.retry_after == (2_000 if answer.status == 503 else 0)


@every_vendor
async def test_nobody_there_is_retried(vendor: Vendor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sink = vendor.sink(f"http://127.0.0.1:{taken.getsockname()[1]}")
        attempt = await tell(sink, vendor, notice())
        await sink.close()
    assert (attempt.delivered, attempt.retry) == (False, True)


@every_vendor
async def test_an_answer_without_end_is_not_read_to_its_end(vendor: Vendor) -> None:
    async with at(vendor, answer=Reply(500, endless=True)) as (sink, _):
        async with asyncio.timeout(60):
            attempt = await tell(sink, vendor, notice())
    assert not attempt.delivered


@every_vendor
async def test_a_redirect_is_not_followed(vendor: Vendor) -> None:
    # It would carry the message, and what is secret in it, to whoever answered.
    with serving(lambda _: Reply(200)) as elsewhere:
        async with at(vendor, answer=Reply(307, headers={"Location": f"{elsewhere.url}/x"})) as (sink, _):
            attempt = await tell(sink, vendor, notice())
        assert (attempt.delivered, attempt.retry, elsewhere.received) == (False, False, [])


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logs("DEBUG", stream)
    try:
        yield stream
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)


@every_vendor
async def test_secrets_are_in_no_log_error_or_detail(vendor: Vendor) -> None:
    echo = " ".join(vendor.secrets)
    answers = [
        vendor.limited,
        vendor.refused,
        Reply(hang_up=True),
        Reply(500, echo.encode()),
        reply(400, {"message": echo, "errors": [echo], "errcode": 5, "errmsg": echo, "code": 5, "msg": echo}),
        reply(200, {"errcode": 5, "errmsg": echo, "code": 5, "msg": echo}),
    ]
    seen = []
    with everything_logged() as log:
        for answer in answers:
            async with at(vendor, answer=answer) as (sink, _):
                attempt = await tell(sink, vendor, notice())
                logging.getLogger("services.test").info("attempt", extra={"detail": attempt.detail})
                seen += [attempt.detail, repr(sink), repr(attempt)]
        sink = vendor.sink("http://not a host\n")
        attempt = await tell(sink, vendor, notice())
        await sink.close()
        seen += [attempt.detail, log.getvalue()]
    for secret in vendor.secrets:
        assert not [text for text in seen if secret in text]


HOSTILE = [
    "<!channel> <!here> <@U000HOSTILE> <!subteam^SHOSTILE>",
    "@all @everyone @13900002222 <@all> <@hostile>",
    '<at id=all></at><at user_id="all">x</at><at email=x@y.z></at>',
    "[click](http://evil.example) ![x](http://evil.example/x.png) <http://evil.example|click>",
    '"}], "isAtAll": true, {"x": "\\',
    "line\nline\r\n\n# heading\n> quote\n``` code ```",
    "\x00\x01\x1b[31m\u202eabc\u2066\ufeff",
    "\ud800 lone \udfff",
    "👩‍👩‍👧‍👦" * 3_000,
    "满" * 30_000,
    "&<>" * 20_000,
    '"\\\n' * 20_000,
    "",
]
hostile = st.sampled_from(HOSTILE) | st.text(max_size=200) | st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join)


@every_vendor
@given(values=st.lists(hostile, min_size=3, max_size=3), name=hostile, kind=st.sampled_from(["firing", "resolved"]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_labels_call_nobody_and_break_nothing(vendor: Vendor, values: list[str], name: str, kind: str) -> None:
    label, summary, runbook = values
    labels = {"campaign_id": "double-11", "item_id": label, name or "x": label}
    made = notice(kind, labels=labels, summary=summary, runbook=runbook)
    assert _would_take(vendor, [made]) == (vendor.called if kind == "firing" else set())


@every_vendor
@given(texts=st.lists(hostile, min_size=1, max_size=20))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_digest_of_hostile_notices_keeps_the_limits(vendor: Vendor, texts: list[str]) -> None:
    sink = _idle_sink(vendor)
    made = [
        notice(labels={"campaign_id": "c", "item_id": f"{n}{text}"}, summary=text, seq=n + 1)
        for n, text in enumerate(texts[: sink.together])
    ]
    assert _would_take(vendor, made) == vendor.called


@cache
def _idle_sink(vendor: Vendor) -> HttpSink:
    """A sink that renders and never sends; to make one takes long, for the certificates that it loads."""
    sink = vendor.sink("http://x")
    assert isinstance(sink, HttpSink)
    return sink


def _would_take(vendor: Vendor, notices: list[Transition]) -> set[str]:
    """Whom the message calls, once the vendor has found nothing wrong with it. Without a network: it is quicker."""
    sink = _idle_sink(vendor)
    (request,) = sink.requests(sink.render(notices, context(vendor)), wall_clock())
    path, _, query = request.url.removeprefix("http://x").partition("?")
    received = Received(path, dict(parse_qsl(query)), {"Content-Type": "application/json"}, request.body)
    answer = vendor.answer(received)
    assert answer.status in {200, 202, 204}, answer
    assert not answer.body or answer.body == b"ok" or b"success" in answer.body or b'"ok"' in answer.body, answer
    assert all(link.startswith("http://war.room/") for link in vendor.links(received))
    return vendor.whom(received)


@every_vendor
@pytest.mark.parametrize("padding", [0, 1, 2])
async def test_chinese_is_whole_where_it_is_cut(vendor: Vendor, padding: int) -> None:
    async with at(vendor) as (sink, server):
        made = notice(summary="x" * padding + "库存告警" * 20_000, runbook="下架广告" * 20_000)
        assert (await tell(sink, vendor, made)).delivered
        text = told(vendor, server)
    assert "库存告警" in text
    assert "�" not in text


@every_vendor
async def test_a_rendering_is_pure(vendor: Vendor) -> None:
    sink = vendor.sink("http://x")
    made = [notice()]
    assert encode(sink.render(made, context(vendor))) == encode(sink.render(made, context(vendor)))
    await sink.close()


SEVERAL = [v() for v in VENDORS if v.kind not in {"webhook", "pagerduty"}]


@pytest.mark.parametrize("vendor", SEVERAL, ids=[type(v).__name__ for v in SEVERAL])
async def test_a_digest_names_the_critical_first_and_each_alert_once(vendor: Vendor) -> None:
    made = [
        notice(severity="info", labels={"campaign_id": "c", "item_id": "calm"}, summary="calm item", rule="stock_low"),
        notice(labels={"campaign_id": "c", "item_id": "gone"}, summary="gone item"),
        notice("resolved", labels={"campaign_id": "c", "item_id": "gone"}, summary="gone item", seq=2),
        notice(labels={"campaign_id": "c", "item_id": "bad"}, summary="bad item"),
    ]
    async with at(vendor) as (sink, server):
        assert (await tell(sink, vendor, *made)).delivered
        text = told(vendor, server)
    if vendor.kind == "alertmanager":
        assert [alert["labels"]["item_id"] for alert in server.received[-1].json()] == ["calm", "gone", "bad"]
        return
    assert all(text.count(f"{name} item") == 1 for name in ("calm", "gone", "bad"))
    assert text.index("bad item") < text.index("calm item") < text.index("gone item")


CHATS = [v() for v in VENDORS if v.mention is not None]


@pytest.mark.parametrize("vendor", CHATS, ids=[type(v).__name__ for v in CHATS])
async def test_people_are_called_by_severity_and_not_when_it_is_over(vendor: Vendor) -> None:
    assert vendor.mention is not None
    only_critical = vendor.mention.model_copy(update={"severity": ["critical"]})
    async with at(vendor) as (sink, server):
        for kind, severity, called in (
            ("firing", "critical", vendor.called),
            ("escalated", "critical", vendor.called),
            ("firing", "warning", frozenset()),
            ("acknowledged", "critical", frozenset()),
            ("resolved", "critical", frozenset()),
        ):
            where = replace(context(vendor), mentions=[only_critical])
            attempt = await sink.send(sink.render([notice(kind, severity=severity)], where), wall_clock())
            assert attempt.delivered
            assert vendor.whom(server.received[-1]) == called, (kind, severity)


@pytest.mark.parametrize("vendor", CHATS, ids=[type(v).__name__ for v in CHATS])
@pytest.mark.parametrize(("language", "words"), [("zh", ["严重", "触发"]), ("both", ["critical", "严重"])])
async def test_a_chat_speaks_the_language_of_its_receiver(vendor: Vendor, language: Language, words: list[str]) -> None:
    async with at(vendor) as (sink, server):
        await sink.send(sink.render([notice()], context(vendor, language)), wall_clock())
        body = server.received[-1].body.decode()
    assert all(word in body for word in words)


async def test_pagerduty_has_one_key_for_an_incident() -> None:
    (vendor,) = [v() for v in VENDORS if v.kind == "pagerduty"]
    async with at(vendor) as (sink, server):
        for kind in ("firing", "escalated", "acknowledged", "resolved"):
            await tell(sink, vendor, notice(kind))
        later = notice("firing", now=NOW + 90_000)
        await tell(sink, vendor, later)
        events = [received.json() for received in server.received]
    assert [event["event_action"] for event in events] == ["trigger", "trigger", "acknowledge", "resolve", "trigger"]
    assert len({event["dedup_key"] for event in events[:4]}) == 1
    assert events[4]["dedup_key"] != events[0]["dedup_key"]


async def test_every_alertmanager_is_told_and_one_that_takes_it_will_do() -> None:
    with serving(lambda _: Reply(500)) as broken, serving(lambda _: Reply(200)) as well:
        sink = Alertmanager([broken.url, well.url])
        attempt = await sink.send(sink.render([notice()], Context("am", "http://war.room", NOW)), NOW)
        assert (attempt.delivered, attempt.detail) == (True, "1 of 2 took it; HTTP 500")
        well.answer = lambda _: Reply(400)
        attempt = await sink.send(sink.render([notice()], Context("am", "http://war.room", NOW)), NOW)
        assert (attempt.delivered, attempt.retry) == (False, True)
        await sink.close()
        assert len(broken.received) == len(well.received) == 2


async def test_alertmanager_is_told_of_an_end_that_lies_a_few_intervals_ahead_and_of_the_real_one() -> None:
    sink = Alertmanager(["http://x"], resend_ms=30_000)
    where = Context("am", "http://war.room", NOW + 500_000)
    (firing,) = json.loads(encode(sink.render([notice()], where)))
    (resolved,) = json.loads(encode(sink.render([notice("resolved")], where)))
    await sink.close()
    assert firing["endsAt"] == "2025-11-10T16:10:20.000Z"
    assert resolved["endsAt"] == "2025-11-10T16:01:00.000Z"
    assert firing["labels"] == resolved["labels"]
    assert firing["startsAt"] == resolved["startsAt"]


@pytest.mark.parametrize(
    ("answer", "retry"),
    [
        (reply(400, {"code": 9499, "msg": "Bad Request"}), False),
        (reply(200, {"code": 9499, "msg": "too many request"}), True),
        (reply(400, {"code": 99991400, "msg": "request trigger frequency limit"}), True),
    ],
)
async def test_feishu_says_in_more_than_one_way_that_it_is_too_much(answer: Reply, retry: bool) -> None:
    with serving(lambda _: answer) as server:
        sink = Feishu(server.url)
        attempt = await sink.send(sink.render([notice()], Context("f", "http://war.room", NOW)), NOW)
        await sink.close()
    assert attempt.retry is retry
