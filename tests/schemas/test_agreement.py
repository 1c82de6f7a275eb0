"""The fast decoder and the reference give the same verdict on the same bytes."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal, localcontext

import msgspec
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from schemas.events.examples import EXAMPLES
from schemas.events.numbers import parse_amount
from schemas.events.times import parse_rfc3339
from services.common.decode import Decoder
from services.common.decode.amounts import AmountMemory, Rate, Unsure, cents
from services.common.decode.memory import KnownTexts
from services.common.decode.times import TimeMemory
from services.common.errors import RefusedEvent
from tests.schemas.strategies import amounts, damaged, records, sound, times
from tests.schemas.verdicts import (
    CURRENCIES,
    KINDS,
    NOW_MS,
    by_decoder,
    by_reference,
    encode,
    fast_alone,
    visible,
)

# Shared by all cases, as one decoder serves all records of a partition: what it remembers must not change a verdict.
FAST = {kind: fast_alone(kind) for kind in KINDS}
DECODERS = {kind: Decoder(kind, CURRENCIES) for kind in KINDS}

kinds = st.sampled_from(KINDS)
thorough = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(kind: str, value: bytes | None, now_ms: int = NOW_MS) -> None:
    expected = by_reference(kind, value, now_ms)
    alone = FAST[kind](value, now_ms)
    if alone is not None:
        assert visible(alone) == expected
        event("accepted fast")
    got = by_decoder(DECODERS[kind], value, now_ms)
    if isinstance(expected, RefusedEvent):
        assert isinstance(got, RefusedEvent)
        assert (got.reason, got.detail) == (expected.reason, expected.detail)
        event(expected.reason)
    else:
        assert got == expected
        event("accepted")


@given(st.data(), kinds)
@thorough
def test_records_near_the_contract(data: st.DataObject, kind: str) -> None:
    check(kind, data.draw(records(kind)))


@given(st.data(), kinds)
@thorough
def test_damaged_records(data: st.DataObject, kind: str) -> None:
    check(kind, data.draw(damaged(kind)))


@given(kinds, st.none() | st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_garbage(kind: str, value: bytes | None) -> None:
    check(kind, value)
    assert isinstance(by_reference(kind, value), RefusedEvent)


@given(st.integers(NOW_MS - 600_002, NOW_MS - 599_998) | st.integers(0, 2**45))
@settings(deadline=None)
def test_any_now(now_ms: int) -> None:
    kind = "traffic"
    check(kind, encode(EXAMPLES[kind]["page_view"] | {"event_time": "2026-11-11T12:26:40Z"}), now_ms)


@given(st.lists(sound, max_size=3), st.sampled_from([(k, n) for k in KINDS for n in EXAMPLES[k]]))
@settings(deadline=None)
def test_ordinary_events_need_no_second_look(extra: list[str], which: tuple[str, str]) -> None:
    """What the reference would cost here is the whole point of the decoder."""
    kind, name = which
    unknown = "".join(f',"extra_{i}":{token}' for i, token in enumerate(extra))
    good = EXAMPLES[kind][name]
    nulls = {field: None for field in ("item_id", "channel", "region", "reason", "discount") if field not in good}
    numbers = {field: float(good[field]) for field in ("value", "discount", "face_value", "cost") if field in good}
    for document in (good, good | nulls, good | numbers, good | {"event_time": "2026-11-11T12:00:00.123456+00:00"}):
        for text in (json.dumps(document), json.dumps(document, ensure_ascii=False, indent=1)):
            value = (text[:-1] + unknown + "}").encode()
            assert FAST[kind](value, NOW_MS) is not None


@given(st.lists(times, max_size=6))
@settings(max_examples=500, deadline=None)
@example(['"2026-11-11T12:00:00.5+08:00"', '"2026-11-11T12:00:00+08:00"', '"2026-11-11T12:00:00.12+08:00"'])
@example(['"2026-11-11T12:00:00.123Z"', '"2026-11-11T12:00:00.1234Z"', '"2026-11-11T12:00:00.1239Z"'])
@example(['"2026-11-11T12:00:00Z"', '"1999-12-31T23:59:59Z"', '"2026-11-11T12:00:0٥Z"'])
def test_the_memory_of_times_changes_no_answer(tokens: list[str]) -> None:
    memory = TimeMemory()
    for token in [*tokens, *tokens]:
        text = json.loads(token)
        try:
            expected: int | None = parse_rfc3339(text)
        except ValueError:
            expected = None
        try:
            got: int | None = memory.parse(text)
        except Unsure:
            assert expected is None or expected < 946_771_200_000
        except ValueError:
            assert expected is None
        else:
            assert got == expected


@given(amounts)
@settings(max_examples=500, deadline=None)
@example('".50"')
@example('"١"')
@example('"١.٥٠"')
def test_cents_are_those_of_decimal(token: str) -> None:
    try:
        sent = msgspec.json.Decoder(float_hook=str).decode(token.encode())
        got = cents(sent)
    except (msgspec.DecodeError, Unsure):
        return
    document = json.loads(token, parse_int=Decimal, parse_float=Decimal)
    assert got == parse_amount(document) * 100


@given(st.integers(0, 10**15 - 1), st.decimals("0.0001", 10_000, places=6))
@settings(deadline=None)
def test_conversion_rounds_half_up(amount: int, rate: Decimal) -> None:
    with localcontext(prec=60):
        expected = int((amount * rate).quantize(Decimal(1), ROUND_HALF_UP))
    if expected < 10**15:
        assert Rate(rate).convert(amount) == expected
    else:
        with pytest.raises(Unsure):
            Rate(rate).convert(amount)


def test_memories_are_bounded() -> None:
    """A producer of ever new texts must not fill the process's memory."""
    memory = TimeMemory()
    for second in range(10_000):
        text = f"2026-11-{second // 86_400 + 1:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        assert memory.parse(f"{text}.{second % 1000:03}+0{second // 1000 % 10}:00") == parse_rfc3339(
            f"{text}.{second % 1000:03}+0{second // 1000 % 10}:00"
        )
    assert len(memory.heads) <= 4096
    assert len(memory.tails) <= 4096

    amounts = AmountMemory()
    for hundredths in range(20_000):
        assert amounts.cents(f"{hundredths / 100:.2f}") == hundredths
    assert len(amounts.texts) <= 16_384

    known = KnownTexts("^[0-9]+$")
    assert all(known.learn(str(number)) for number in range(5000))
    assert len(known.texts) <= 4096
    assert not known.learn("5000\n")
