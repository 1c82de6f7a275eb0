"""What is sent to viewers of a stream: server-sent events, encoded once and shared by all.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

_LEVEL = 4
# RFC 1952: a gzip member without name and time.
_GZIP_START = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True, slots=True)
class Wire:
    """How a connection wants its bytes: in chunks (HTTP/1.1) or until the end (HTTP/1.0), compressed or not."""

    chunked: bool
    gzip: bool

    def begin(self, text: bytes) -> bytes:
        """The first bytes of a body."""
        return self._framed(_GZIP_START + _deflated(text) if self.gzip else text)

    def encode(self, text: bytes) -> bytes:
        """Bytes that may follow any others of the same body, whatever those were."""
        return self._framed(_deflated(text) if self.gzip else text)

    @property
    def end(self) -> bytes:
        """Ends the body. The gzip member stays open: its checksum would be another for each viewer."""
        return b"0\r\n\r\n" if self.chunked else b""

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data


def _deflated(data: bytes) -> bytes:
    # A full flush ends at a byte and refers to nothing before it, so each piece stands behind any other.
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


@dataclass(slots=True)
class Message:
    """Some events, encoded for each kind of connection when the first asks."""

    text: bytes
    _encoded: dict[Wire, bytes] = field(default_factory=dict)

    def on(self, wire: Wire) -> bytes:
        """The bytes for a connection: the same object for all of a kind."""
        found = self._encoded.get(wire)
        if found is None:
            found = self._encoded[wire] = wire.encode(self.text)
        return found


# To the specification of server-sent events they end no line, to Python's `splitlines` and clients built on it they do.
# JSON escapes all others.
_LINE_ENDS = {character: f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}


def event_bytes(name: str, data: Any, identity: str | None = None) -> bytes:
    """One server-sent event; however a client cuts lines, its data is one."""
    numbered = f"id: {identity}\n" if identity is not None else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in _LINE_ENDS.items():
        body = body.replace(character, escaped)
    return f"event: {name}\n{numbered}data: {body}\n\n".encode()
