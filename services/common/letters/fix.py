"""What is changed in a record before it is sent again. Everything that is not named stays as it was, to the byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from services.common.errors import InvalidRequest

_STEP: Final = re.compile(r"([^.\[\]]+)|\[([0-9]{1,6})\]")
_PATH: Final = re.compile(r"[^.\[\]]+(\[[0-9]{1,6}\])*(\.[^.\[\]]+(\[[0-9]{1,6}\])*)*")
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Fix:
    """A new value, or values of single fields; neither leaves the record as it is.

    `fields` maps paths as a letter's detail names them (`currency`, `items[0].price`) to JSON texts.
    """

    value: bytes | None = None
    fields: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """The record is not sent as it was."""
        return self.value is not None or bool(self.fields)

    def apply(self, record: bytes) -> bytes:
        """The record to send. Raises `InvalidRequest` when a path leads nowhere in it."""
        result = record if self.value is None else self.value
        for path, text in self.fields.items():
            result = _put(result, _steps(path), text, path)
        return result


def field_text(text: str) -> bytes:
    """The JSON text of what a person wrote behind `field=`: JSON where it is JSON, else a string."""
    try:
        msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.encode(text)
    return text.encode()


def _steps(path: str) -> list[str | int]:
    if not _PATH.fullmatch(path):
        raise InvalidRequest("set", f"{path!r} is not a path such as currency or items[0].price")
    return [match[1] if match[1] is not None else int(match[2]) for match in _STEP.finditer(path)]


def _put(document: bytes, steps: list[str | int], text: bytes, path: str) -> bytes:
    if not steps:
        return text
    step, rest = steps[0], steps[1:]
    try:
        if isinstance(step, str):
            members = _MEMBERS.decode(document)
            inner = bytes(members.get(step, b"{}" if rest and isinstance(rest[0], str) else b"null"))
            return _encoded(members | {step: msgspec.Raw(_put(inner, rest, text, path))})
        elements = _ELEMENTS.decode(document)
        if step >= len(elements):
            raise InvalidRequest("set", f"{path}: there is no element {step}")
        elements[step] = msgspec.Raw(_put(bytes(elements[step]), rest, text, path))
        return _encoded(elements)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        kind = "object" if isinstance(step, str) else "list"
        raise InvalidRequest(
            "set", f"{path}: what holds it is no JSON {kind} ({error}); give the whole record with --file"
        ) from None


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)
