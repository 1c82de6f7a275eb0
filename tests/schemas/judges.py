"""One event put before both judges, who must agree, for the tests of single rules."""

from __future__ import annotations

import json

from services.common.decode import Decoder
from services.common.errors import RefusedEvent
from tests.schemas.verdicts import (
    CURRENCIES,
    KINDS,
    NOW_MS,
    Visible,
    by_decoder,
    by_reference,
    encode,
    example,
    fast_alone,
    visible,
)

DECODERS = {kind: Decoder(kind, CURRENCIES) for kind in KINDS}


def verdict(kind: str, value: bytes | None, now_ms: int = NOW_MS) -> Visible | RefusedEvent:
    """The verdict that both give; fails when they differ."""
    expected = by_reference(kind, value, now_ms)
    got = by_decoder(DECODERS[kind], value, now_ms)
    if isinstance(expected, RefusedEvent):
        assert isinstance(got, RefusedEvent)
        assert (got.reason, got.detail) == (expected.reason, expected.detail)
        alone = fast_alone(kind)(value, now_ms)
        assert alone is None, "the fast way accepts what is refused"
    else:
        assert got == expected
        alone = fast_alone(kind)(value, now_ms)
        assert alone is None or visible(alone) == expected
    return expected


def accepted(kind: str, name: str | None = None, /, **changes: object) -> Visible:
    result = verdict(kind, encode(example(kind, name, **changes)))
    assert not isinstance(result, RefusedEvent), result
    return result


def refused(kind: str, name: str | None = None, /, **changes: object) -> tuple[str, str]:
    """Reason and the field at fault."""
    result = verdict(kind, encode(example(kind, name, **changes)))
    assert isinstance(result, RefusedEvent), result
    return result.reason, result.detail.split(":")[0]


def with_token(kind: str, name: str | None, field: str, token: str) -> bytes:
    """An example with one field's JSON written as given."""
    event = example(kind, name, **{field: ...})
    return encode(event)[:-1] + f",{json.dumps(field)}:{token}}}".encode()


def refusal_of(kind: str, value: bytes | None) -> str:
    result = verdict(kind, value)
    assert isinstance(result, RefusedEvent), result
    return result.reason
