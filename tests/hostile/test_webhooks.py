"""Whoever hears of an alert can tell our word from a stranger's, and today's from yesterday's."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.alerts.delivery.receiver import load_receivers
from services.alerts.delivery.sinks.base import Context
from services.alerts.delivery.sinks.webhook import Webhook
from services.common.clock import wall_clock
from services.common.settings import Settings
from tests.alerts.delivery.notices import NOW, notice
from tests.alerts.delivery.server import Reply, serving

SECRET = "a secret of thirty-two characters"
DOCUMENT = Path(__file__).parents[2] / "docs" / "receivers.md"


def is_warrooms(secret: bytes, body: bytes, headers: Mapping[str, str], now: float) -> bool:
    """The check that docs/receivers.md tells people to make: its very text."""
    found = re.search(r"```python\n(def is_warrooms.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, object] = {"hmac": hmac, "hashlib": hashlib}
    exec(found[1], names)
    check = names["is_warrooms"]
    assert callable(check)
    return bool(check(secret, body, headers, now))


async def test_a_message_is_believed_as_it_was_sent_and_not_otherwise() -> None:
    now = wall_clock()
    with serving(lambda _: Reply()) as server:
        settings = Settings(alert_webhook_url=f"{server.url}/hook", alert_webhook_secret=SECRET)
        (receiver,) = load_receivers(settings, {})
        message = receiver.sink.render([notice(now=now)], receiver.context(now))
        assert (await receiver.sink.send(message, now)).delivered
        await receiver.sink.close()
    (heard,) = server.received
    key, seconds = SECRET.encode(), now / 1000
    assert is_warrooms(key, heard.body, heard.headers, seconds + 1)
    assert not is_warrooms(b"another secret", heard.body, heard.headers, seconds)
    assert not is_warrooms(key, heard.body.replace(b"firing", b"resolved"), heard.headers, seconds)
    # Sent again later, as it was, or with a fresh date.
    assert not is_warrooms(key, heard.body, heard.headers, seconds + 301)
    fresh = {**heard.headers, "Warroom-Timestamp": str(int(seconds) + 301)}
    assert not is_warrooms(key, heard.body, fresh, seconds + 301)


async def test_without_a_secret_nothing_claims_to_be_signed() -> None:
    with serving(lambda _: Reply()) as server:
        sink = Webhook([server.url])
        await sink.send(sink.render([notice()], Context("w", "http://war.room", NOW)), NOW)
        await sink.close()
    assert not [name for name in server.received[0].headers if name.lower().startswith("warroom")]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_receiver_sends_nobody_elsewhere(status: int) -> None:
    with serving(lambda _: Reply()) as inside:
        elsewhere = {"Location": f"{inside.url}/admin"}
        with serving(lambda _: Reply(status, headers=elsewhere)) as server:
            sink = Webhook([server.url], SECRET)
            attempt = await sink.send(sink.render([notice()], Context("w", "http://war.room", NOW)), NOW)
            await sink.close()
    assert not attempt.delivered
    assert not inside.received


async def test_an_answer_that_would_inflate_is_left_as_it_is() -> None:
    import gzip

    bomb = gzip.compress(bytes(64 << 20))
    with serving(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip"})) as server:
        sink = Webhook([server.url])
        attempt = await sink.send(sink.render([notice()], Context("w", "http://war.room", NOW)), NOW)
        await sink.close()
    assert attempt.delivered
    assert server.received[0].headers["Accept-Encoding"] == "identity"
