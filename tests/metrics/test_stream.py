"""The live stream: one source however many watch, and nobody waits for a slow viewer."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.common.errors import StoreUnavailable
from services.metrics import stream
from services.metrics.stream import Broadcasts, event_bytes


class Ticks:
    """Counts how often it was asked; tells which snapshot is full and which follows."""

    def __init__(self, failures: int = 0, error: type[Exception] = StoreUnavailable) -> None:
        self.count = 0
        self.failures = failures
        self.error = error

    async def tick(self) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        if self.failures:
            self.failures -= 1
            raise self.error("the store is away")
        self.count += 1
        alerts = [{"id": "a", "state": "firing"}] if self.count == 2 else []
        return {"full": self.count}, {"changes": self.count}, alerts

    async def close(self) -> None:
        """Leaves nothing running."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PERIOD_SECONDS", 0.01)


async def messages(feed: AsyncIterator[bytes], count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    while len(found) < count:
        text = (await asyncio.wait_for(anext(feed), 10)).decode()
        fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def test_viewers_share_one_source_and_each_begins_with_the_whole_picture() -> None:
    sources: list[Ticks] = []

    def source(_: str) -> Ticks:
        sources.append(Ticks())
        return sources[-1]

    broadcasts = Broadcasts(source)
    first, second = broadcasts.watch("c"), broadcasts.watch("c")
    seen_first, seen_second = await asyncio.gather(messages(first, 3), messages(second, 3))
    assert len(sources) == 1
    for seen in (seen_first, seen_second):
        snapshots = [data for name, data in seen if name == "snapshot"]
        assert "full" in snapshots[0]
        assert all("changes" in data for data in snapshots[1:])
    await broadcasts.close()


async def test_an_alert_is_told_as_it_happens() -> None:
    broadcasts = Broadcasts(lambda _: Ticks())
    seen = await messages(broadcasts.watch("c"), 3)
    assert ("alert", {"id": "a", "state": "firing"}) in seen
    await broadcasts.close()


async def test_a_viewer_that_slept_skips_to_the_latest_and_gets_the_whole_picture_again() -> None:
    ticks = Ticks()
    broadcasts = Broadcasts(lambda _: ticks)
    feed = broadcasts.watch("c")
    await messages(feed, 1)
    other = broadcasts.watch("c")
    while ticks.count < stream.REMEMBERED + 10:
        await messages(other, 1)
    ((name, data),) = await messages(feed, 1)
    assert name == "snapshot"
    assert data["full"] > stream.REMEMBERED
    await broadcasts.close()


@pytest.mark.parametrize("error", [StoreUnavailable, KeyError])
async def test_a_snapshot_that_fails_for_a_moment_ends_no_stream(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(random, "uniform", lambda *_: 0.001)
    broadcasts = Broadcasts(lambda _: Ticks(failures=3, error=error))
    assert (await messages(broadcasts.watch("c"), 1))[0] == ("snapshot", {"full": 1})
    await broadcasts.close()


async def test_nobody_watching_means_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "IDLE_SECONDS", 0.02)
    ticks = Ticks()
    broadcasts = Broadcasts(lambda _: ticks)
    feed = broadcasts.watch("c")
    await messages(feed, 1)
    await feed.aclose()  # type: ignore[attr-defined]
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == "stream-c"]
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert (await messages(broadcasts.watch("c"), 1))[0] == ("snapshot", {"full": ticks.count})
    await broadcasts.close()


async def test_closing_ends_every_viewers_stream() -> None:
    broadcasts = Broadcasts(lambda _: Ticks())
    feed = broadcasts.watch("c")
    await messages(feed, 1)
    await broadcasts.close()

    async def rest() -> None:
        async for _ in feed:
            pass

    await asyncio.wait_for(rest(), 10)


def test_an_event_is_one_message_even_when_its_text_has_line_breaks() -> None:
    text = event_bytes("snapshot", {"note": "a\n\nb\r"}, 7).decode()
    assert text.count("\n\n") == 1
    assert text.endswith("\n\n")
    assert "\r" not in text
    assert text.startswith("event: snapshot\nid: 7\n")
