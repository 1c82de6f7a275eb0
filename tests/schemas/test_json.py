"""What is JSON and what is not: RFC 8259 in UTF-8, wherever in the document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.common.errors import RefusedEvent
from tests.schemas.judges import accepted, refusal_of, verdict
from tests.schemas.verdicts import encode, example

GOOD = encode(example("traffic"))


def with_unknown(token: bytes, key: bytes = b'"x"') -> bytes:
    """A good event with an unknown field in the middle."""
    return b"{" + key + b":" + token + b"," + GOOD[1:]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b" ",
        b"null",
        b"true",
        b"5",
        b'"text"',
        b"[]",
        b"[" + GOOD + b"]",
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD + b"x",
        GOOD + GOOD,
        GOOD + b"\x00",
        b"\x00" + GOOD,
        GOOD + b"\x0c",
        "\u00a0".encode() + GOOD,
        GOOD[:-1],
        GOOD[:-1] + b",}",
        b"{," + GOOD[1:],
        GOOD.replace(b'"', b"'"),
        GOOD + b"// done",
        b"{event_id:1}",
    ],
)
def test_what_is_no_object(value: bytes | None) -> None:
    assert refusal_of("traffic", value) == "invalid_json"


@pytest.mark.parametrize(
    "token",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"nan",
        b"01",
        b"-01",
        b"+1",
        b".5",
        b"5.",
        b"1e",
        b"1e+",
        b"0x10",
        b"1_000",
        b"-",
        b"True",
        b"tru",
        b"nulll",
        b"undefined",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b'{"a":1,}',
        b'{"a"}',
        b"{1:2}",
        b"[1",
        b"'x'",
        b'"\\x41"',
        b'"\\u12"',
        b'"\\u12g4"',
        b'"\\u+123"',
        b'"\\u 123"',
        b'"\\U0041"',
        b'"a\tb"',
        b'"a\nb"',
        b'"a\x00b"',
        b'"a\x1fb"',
        b'"\xff"',
        b'"\xc0\x80"',
        b'"\xe2\x82"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\\ud800"',
        b'"\\udc00"',
        b'"\\udc00\\ud800"',
        b'"\\ud83d\\ud83d\\ude00"',
        b'"\\ud83dx\\ude00"',
        b'"\\ud83d\\\\ude00"',
        b'{"\\ud800":1}',
        b'[["\\uDFFF"]]',
        b"\xa0",
        "١".encode(),
    ],
)
def test_broken_json_in_an_unknown_field_is_still_broken(token: bytes) -> None:
    assert refusal_of("traffic", with_unknown(token)) == "invalid_json"
    assert refusal_of("traffic", with_unknown(b"[" + token + b"]")) == "invalid_json"
    if token.startswith(b'"'):
        assert refusal_of("traffic", with_unknown(b"1", key=token)) == "invalid_json"
        assert refusal_of("traffic", GOOD.replace(b'"page_view"', token)) == "invalid_json"
        # A value that a later one of the same name replaces is still part of the document.
        assert refusal_of("traffic", GOOD.replace(b"{", b'{"item_id":' + token + b",", 1)) == "invalid_json"


@pytest.mark.parametrize(
    "token",
    [
        b"1e400",
        b"-1e-400",
        b"1E99999999999999999999",
        b"9" * 10_000,
        b"0." + b"9" * 10_000,
        b"-0",
        b'"\\ud83d\\ude00"',
        b'"\\\\ud800"',
        b'"\\u0000\\/\\b\\f\\n\\r\\t\\"\\\\"',
        b'"\x7f"',
        '"\u2028\ufeff\uffff\U0010ffff"'.encode(),
        b"[]",
        b"{}",
        b'[{"a":[null,true,false]}]',
        b'{"":""}',
        b'{"a":1,"a":2}',
    ],
)
def test_sound_json_in_an_unknown_field_is_ignored(token: bytes) -> None:
    assert verdict("traffic", with_unknown(token)) == verdict("traffic", GOOD)
    assert verdict("traffic", with_unknown(b" \t\r\n" + token + b" ")) == verdict("traffic", GOOD)


def test_nesting() -> None:
    def nested(levels: int, opening: bytes, closing: bytes) -> bytes:
        # One level is the event itself.
        return with_unknown(opening * (levels - 1) + b"1" + closing * (levels - 1))

    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"":', b"}]")):
        step = opening.count(b"[") + opening.count(b"{")
        good = nested(511 // step + 1, opening, closing)
        assert not isinstance(verdict("traffic", good), RefusedEvent)
        assert refusal_of("traffic", nested(511 // step + 2, opening, closing)) == "invalid_json"
    assert refusal_of("traffic", nested(100_000, b"[", b"]")) == "invalid_json"
    assert refusal_of("traffic", b"[" * 200_000) == "invalid_json"


def test_many_brackets_are_not_depth() -> None:
    assert not isinstance(verdict("traffic", with_unknown(b"[" + b"[],{}," * 1000 + b"1]")), RefusedEvent)
    assert not isinstance(verdict("traffic", with_unknown(b'"' + b'[{\\"' * 1000 + b'"')), RefusedEvent)


def test_of_a_repeated_key_the_last_one_counts() -> None:
    def repeated(first: bytes, second: bytes) -> bytes:
        bare = encode(example("traffic", item_id=...))
        return b'{"item_id":' + first + b"," + bare[1:-1] + b',"item_id":' + second + b"}"

    for first, second, expected in (
        (b'"a"', b'"b"', "b"),
        (b"5", b'"b"', "b"),
        (b'"a"', b"null", "unknown"),
        (b"null", b'"b"', "b"),
        (b"[[]]", b'""', "unknown"),
    ):
        result = verdict("traffic", repeated(first, second))
        assert not isinstance(result, RefusedEvent)
        assert result["item_id"] == expected
    assert refusal_of("traffic", repeated(b'"a"', b"5")) == "schema_violation"
    event_id = encode(example("traffic"))[:-1] + b',"event_id":null}'
    assert refusal_of("traffic", event_id) == "schema_violation"


def test_a_key_may_be_written_with_escapes() -> None:
    value = GOOD.replace(b'"user_id":', b'"\\u0075ser_\\u0069d":')
    assert value != GOOD
    assert verdict("traffic", value) == verdict("traffic", GOOD)


def test_texts_arrive_whole_however_they_are_written() -> None:
    text = '双11 🛒 \u0000 " \\ / \u2028 é'
    assert accepted("traffic", page_location=text)["page_location"] == text
    ascii_only = json.dumps(example("traffic", page_location=text), indent=4).encode()
    result = verdict("traffic", ascii_only)
    assert not isinstance(result, RefusedEvent)
    assert result["page_location"] == text


def test_fields_of_the_decoder_itself_cannot_be_sent() -> None:
    # It keeps derived values in the same struct; no name on the wire may reach them.
    forged: dict[str, dict[str, Any]] = {
        "traffic": {"event_time_ms": 1, " event_time_ms": 1, "sent_time": "x"},
        "orders": {
            " event_time_ms": 1,
            " value_cents": 7,
            " original_value_cents": 7,
            " discount_cents": 7,
            " customer_type": "x",
            " items": [["a", "b", 1, 2]],
            "value_cents": 7,
            "sent_value": 7,
        },
        "coupons": {" face_value_cents": 7, " event_time_ms": "no number"},
        "inventory": {" event_time_ms": 7},
        "spend": {" cost_cents": 7, " event_time_ms": 7},
    }
    for kind, sent in forged.items():
        name = "order_paid" if kind == "orders" else None
        for drop in ({}, {"items": ..., "discount": ..., "new_customer": ..., "face_value": ...}):
            plain = example(kind, name, **drop)
            assert verdict(kind, encode(plain | sent)) == verdict(kind, encode(plain))
            assert verdict(kind, encode(sent | plain)) == verdict(kind, encode(plain))
