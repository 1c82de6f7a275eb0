"""The answer that never ends: what a viewer of a stream is sent."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.common.http import connection_of
from services.metrics.frames import Wire
from services.metrics.stream import Broadcasts
from services.metrics.viewer import Viewer
from services.metrics.wall.lens import Lens

_HEADERS = {
    # A proxy must not transform it: its own compression would hold events back.
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Vary": "Accept-Encoding",
}


class StreamResponse(Response):
    """Begins the answer as any other, then leaves the connection to the broadcast until one of both ends it."""

    media_type = "text/event-stream"

    def __init__(self, broadcasts: Broadcasts, lens: Lens, last_id: str | None) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._broadcasts = broadcasts
        self._lens = lens
        self._last_id = last_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = connection_of(scope)
        if connection is None:
            raise RuntimeError("the stream needs a server that runs services.common.http.ConnectionProtocol")
        wire = Wire(chunked=scope["http_version"] != "1.0", gzip=_takes_gzip(scope))
        if wire.gzip:
            self.headers["Content-Encoding"] = "gzip"
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        viewer = Viewer(connection, wire, self._last_id)
        with self._broadcasts.watching(self._lens, viewer):
            while (await receive())["type"] != "http.disconnect":
                continue
        # The door may have said so of one who may not watch any more, and is still there.
        viewer.end()


def _takes_gzip(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for item in value.decode("latin-1").split(","):
                coding, _, weight = item.partition(";")
                if coding.strip().lower() == "gzip" and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00"):
                    return True
    return False
