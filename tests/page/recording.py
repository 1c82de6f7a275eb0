"""What a running war room told a screen, kept and told again: faster than it happened, and for longer."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from services.metrics.pages import PAGE
from tests.support.broker import free_port
from tests.support.war_room import wait_until

_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z"')
_STAYS = ("campaign", "day")
"""What later snapshots say of the same times."""
_BEYOND = timedelta(days=2)
_READY_SECONDS = 90.0


@dataclass(frozen=True)
class Moment:
    """A snapshot as it was sent, in two parts: what stays as it is, and what moves on with time."""

    as_of: datetime
    stays: str
    moves: str

    def at(self, later: timedelta) -> tuple[str, str]:
        """Its JSON as if it had been sent so much later, and the `as_of` that it has then."""
        text = _TIME.sub(lambda found: f'"{_moved(found[1], later)}{found[2] or ""}Z"', self.moves)
        as_of = json.loads(text)["overview"]["as_of"]
        return f"{self.stays[:-1]},{text[1:]}", as_of


@dataclass(frozen=True)
class Recording:
    """A minute or so of a campaign's stream, and what else the page asks for."""

    campaign: dict[str, Any]
    catalogue: dict[str, Any]
    moments: tuple[Moment, ...]

    @property
    def length(self) -> timedelta:
        """From the first snapshot until what would be the next after the last; whole seconds."""
        span = self.moments[-1].as_of - self.moments[0].as_of
        return timedelta(seconds=round(span.total_seconds()) + 1)


def record(base: str, campaign: str, snapshots: int, wait_seconds: float = 120.0) -> Recording:
    """Listens to the stream of a campaign until it has so many snapshots. `base` is a war room's address.

    Raises `AssertionError` when they do not come in time.
    """
    deadline = time.monotonic() + wait_seconds
    moments: list[Moment] = []
    event = ""
    with httpx.Client(base_url=f"{base}/api/v1", timeout=20) as client:
        declared = client.get(f"/campaigns/{campaign}").raise_for_status().json()
        # However long it is played, it shows a campaign that runs.
        declared["end"] = (datetime.fromisoformat(declared["end"]) + _BEYOND).isoformat()
        catalogue = client.get("/metrics").raise_for_status().json()
        with client.stream("GET", f"/campaigns/{campaign}/stream") as answer:
            for line in answer.iter_lines():
                assert time.monotonic() < deadline, f"{len(moments)} of {snapshots} snapshots came in time"
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                if name != "data" or event != "snapshot":
                    continue
                moments.append(_moment(json.loads(value), declared))
                if len(moments) == snapshots:
                    break
    return Recording(declared, catalogue, tuple(moments))


class Player:
    """A server with the page and one campaign, whose stream is played on demand."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._port = free_port()
        self._position = 0
        self._target = 0
        self._pause = 1.0
        self.sent_bytes = 0
        self._server = uvicorn.Server(
            uvicorn.Config(self._app(), port=self._port, log_level="error", timeout_graceful_shutdown=1)
        )

    @property
    def url(self) -> str:
        """The page."""
        return f"http://127.0.0.1:{self._port}/"

    def play(self, snapshots: int, per_second: float) -> str:
        """Sends the next snapshots at that speed, or as fast as the page takes them.

        Returns at once, with the `as_of` of the last.
        """
        self._pause = 1 / per_second
        self._target += snapshots
        return self._message(self._target)[1]

    def run(self) -> None:
        """Serves until `stop`."""
        self._server.run()

    def stop(self) -> None:
        """Ends the server."""
        self._server.should_exit = True

    @property
    def started(self) -> bool:
        """Whether it answers."""
        return self._server.started

    def _message(self, number: int) -> tuple[str, str]:
        rounds, index = divmod(number, len(self._recording.moments))
        return self._recording.moments[index].at(self._recording.length * rounds)

    async def _stream(self) -> AsyncIterator[bytes]:
        sent = -1
        while not self._server.should_exit:
            if sent == self._target:
                await asyncio.sleep(0.01)
                continue
            if sent >= 0:
                self._position += 1
            sent = self._position
            event = f"event: snapshot\ndata: {self._message(sent)[0]}\n\n".encode()
            self.sent_bytes += len(event)
            yield event
            await asyncio.sleep(self._pause)

    def _app(self) -> FastAPI:
        app = FastAPI()
        recording = self._recording

        @app.get("/api/v1/campaigns")
        async def campaigns() -> Response:
            return JSONResponse({"rows": [recording.campaign]})

        @app.get("/api/v1/metrics")
        async def catalogue() -> Response:
            return JSONResponse(recording.catalogue)

        @app.get(f"/api/v1/campaigns/{recording.campaign['id']}/stream")
        async def stream() -> Response:
            return StreamingResponse(self._stream(), media_type="text/event-stream")

        @app.get("/")
        async def page() -> Response:
            return FileResponse(PAGE / "index.html")

        app.mount("/", StaticFiles(directory=PAGE))
        return app


@contextmanager
def playing(recording: Recording) -> Iterator[Player]:
    """A player that runs as long as the block."""
    player = Player(recording)
    thread = threading.Thread(target=player.run, name="player", daemon=True)
    thread.start()
    try:
        wait_until(lambda: player.started, _READY_SECONDS, "the player")
        yield player
    finally:
        player.stop()
        thread.join(_READY_SECONDS)


def _moment(snapshot: dict[str, Any], declared: dict[str, Any]) -> Moment:
    snapshot["campaign"]["end"] = declared["end"]
    stays = {name: snapshot.pop(name) for name in _STAYS if name in snapshot}
    as_of = datetime.fromisoformat(snapshot["overview"]["as_of"])
    return Moment(as_of, json.dumps(stays), json.dumps(snapshot))


def _moved(text: str, later: timedelta) -> str:
    return (datetime.fromisoformat(text) + later).isoformat(timespec="seconds")
