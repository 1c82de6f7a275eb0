"""JSON texts as the world sends them: near the contract, at its edges and beyond."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from hypothesis import strategies as st

from schemas.events.examples import EXAMPLES

Token = str
"""The JSON text of one value."""

_PLAIN: Final = "abcXYZ019_.- "


def _escaped(text: str) -> Token:
    """Every character as \\uXXXX."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return '"' + "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)) + '"'


_WRITERS: Final[Sequence[Callable[[str], Token]]] = (
    lambda text: json.dumps(text, ensure_ascii=False),
    json.dumps,
    _escaped,
    lambda text: json.dumps(text).replace("/", "\\/"),
)


def string(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Token]:
    """Each text written in one of the ways that JSON has."""
    return st.builds(lambda text, write: write(text), texts, st.sampled_from(_WRITERS))


def lengths(limit: int) -> st.SearchStrategy[Token]:
    """Strings around the limit, in one, two, three and four bytes a character."""
    sizes = st.sampled_from((0, 1, 2, limit - 1, limit, limit + 1))
    return string(st.builds(lambda size, character: character * size, sizes, st.sampled_from("aé双🛒\x00\n")))


anything_in_strings = string(st.text(max_size=8) | st.text(alphabet=_PLAIN, max_size=8))

times = string(
    st.one_of(
        st.builds(
            "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
            st.sampled_from((2026, 2026, 2026, 2024, 2000, 1999, 1900, 1, 0, 9999)),
            st.integers(0, 13),
            st.sampled_from((1, 11, 28, 29, 30, 31, 32, 0)),
            st.sampled_from("TTTTt "),
            st.sampled_from((0, 12, 12, 23, 24)),
            st.integers(0, 61),
            st.integers(0, 61),
            st.sampled_from(("", ".", ".5", ".123", ".123456", ".9999", ".12a", ",5", ".1234567890123")),
            st.sampled_from(("Z", "z", "", "+08:00", "-05:30", "+23:59", "-23:59", "+24:00", "+0800", "Z\n", "+08:60")),
        ),
        # A second around the edge of what is too far ahead of `NOW_MS`.
        st.builds(
            "2026-11-11T{}.{:03}{}".format,
            st.sampled_from(("12:36:40", "20:36:40", "12:36:39", "12:26:40")),
            st.sampled_from((0, 1, 999)),
            st.sampled_from(("Z", "+00:00", "+08:00")),
        ),
    )
)

_digits = st.text("0123456789", max_size=3)
numbers: st.SearchStrategy[Token] = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(("", "", "", "-", "+")),
        st.sampled_from(("0", "1", "5", "12", "1000000", "1000001", "9007199254740992", "9007199254740993", "00", ""))
        | st.integers(0, 10**14).map(str),
        st.just("") | st.sampled_from((".0", ".5", ".50", ".500", ".125", ".99", ".")) | _digits.map(".{}".format),
        st.sampled_from(("", "", "", "", "e0", "e2", "E+2", "e-2", "e1", "e400", "e99999999999999999999", "e-9", "e")),
    ),
    st.sampled_from(("NaN", "Infinity", "-Infinity", "9" * 30, "9" * 5000, "0e99999999999999999999", "-0", "-0.0")),
)
decimal_strings = string(numbers | st.sampled_from(("1_0", " 1", "1 ", "1\n", "١", "0012.5", "1,5", "12.5000")))
amounts: st.SearchStrategy[Token] = numbers | decimal_strings

names = string(
    st.sampled_from([name for events in EXAMPLES.values() for name in events])
    | st.from_regex(r"[a-z][a-z0-9_]{0,70}", fullmatch=True)
    | st.sampled_from(("", "Page_View", "page_view\n", "_a", "a b", "x" * 64, "x" * 65))
)
regions = string(
    st.sampled_from(("CN-31", "US-CA", "GB-ENG", "unknown", "", "CN", "cn-31", "CN-31\n", "CN-ABCD", "CN-３1"))
)
currencies = string(
    st.sampled_from(("CNY", "CNY", "USD", "JPY", "KWD", "BTC", "EUR", "cny", "", "CNYY", "CNY\n", "CN"))
)
campaigns = string(st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)) | lengths(64)
booleans: st.SearchStrategy[Token] = st.sampled_from(("true", "false"))

junk: st.SearchStrategy[Token] = st.recursive(
    st.sampled_from(
        ("null", "true", "false", '""', "[]", "{}", '"\\ud800"', '"\\udc00x"', '"\x01"', '"\\q"', "nul", "]")
    )
    | numbers
    | anything_in_strings,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda tokens: f"[{','.join(tokens)}]")
        | st.lists(st.tuples(anything_in_strings, inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f"{key}:{token}" for key, token in pairs) + "}"
        )
    ),
    max_leaves=6,
)
sound: st.SearchStrategy[Token] = st.recursive(
    st.sampled_from(("null", "true", "false", "0", "-1.5e3", '""', "[]", "{}")) | string(st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3).map(lambda tokens: f"[{', '.join(tokens)}]"),
    max_leaves=6,
)

_LINE: Final[dict[str, st.SearchStrategy[Token]]] = {
    "item_id": anything_in_strings,
    "item_category": anything_in_strings,
    "quantity": st.integers(1, 50).map(str) | numbers,
    "price": amounts,
}


@st.composite
def _lines(draw: st.DrawFn) -> Token:
    lines = []
    for _ in range(draw(st.integers(0, 3))):
        pairs = [
            (name, draw(tokens if draw(st.integers(0, 9)) else junk))
            for name, tokens in _LINE.items()
            if draw(st.integers(0, 14))
        ]
        lines.append("{" + ",".join(f'"{name}":{token}' for name, token in pairs) + "}")
    return f"[{','.join(lines)}]"


FIELDS: Final[dict[str, st.SearchStrategy[Token]]] = {
    "event_id": lengths(64),
    "event_name": names,
    "event_time": times,
    "campaign_id": campaigns,
    "user_id": lengths(128),
    "channel": lengths(32),
    "region": regions,
    "currency": currencies,
    "new_customer": booleans,
    "items": _lines(),
    **dict.fromkeys(("value", "discount", "face_value", "cost"), amounts),
    **dict.fromkeys(
        ("available", "safety_stock", "engagement_time_msec", "impressions", "clicks"),
        st.integers(0, 10**6).map(str) | numbers,
    ),
}
"""How each field may be spoiled; any other is a text."""


def _all_fields(kind: str) -> list[str]:
    return sorted({name for event in EXAMPLES[kind].values() for name in event})


@st.composite
def records(draw: st.DrawFn, kind: str) -> bytes:
    """A good event of `kind` with up to four fields spoiled, removed, repeated or added, in any layout."""
    event = dict(draw(st.sampled_from(list(EXAMPLES[kind].values()))))
    pairs = [(json.dumps(name), json.dumps(field, ensure_ascii=False)) for name, field in event.items()]
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from(_all_fields(kind)))
        token = draw(st.one_of(FIELDS.get(name, anything_in_strings), FIELDS.get(name, anything_in_strings), junk))
        key = draw(st.sampled_from((json.dumps(name), json.dumps(name), _escaped(name))))
        at = draw(st.integers(0, len(pairs)))
        match draw(st.integers(0, 5)):
            case 0:
                pairs = [pair for pair in pairs if pair[0] != json.dumps(name)]
            case 1:
                pairs.insert(at, (key, token))
            case 2:
                pairs.insert(at, (draw(anything_in_strings), draw(junk)))
            case _:
                pairs = [pair for pair in pairs if pair[0] != json.dumps(name)]
                pairs.insert(min(at, len(pairs)), (key, token))
    colon, comma = draw(st.sampled_from(((":", ","), (": ", ", "), (" :\n\t", " ,\r\n"))))
    text = "{" + comma.join(f"{key}{colon}{token}" for key, token in pairs) + "}"
    return text.encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, kind: str) -> bytes:
    """A record with some of its bytes lost, changed or added."""
    value = bytearray(draw(records(kind)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(value)))
        piece = draw(
            st.binary(max_size=3)
            | st.sampled_from(
                (
                    b"\xff",
                    b"\xed\xa0\x80",
                    b"\xc0\x80",
                    b"\\",
                    b'"',
                    b"\\ud800",
                    b",",
                    b"}",
                    b"\xef\xbb\xbf",
                    b"\x00",
                    b"0",
                )
            )
        )
        lost = draw(st.integers(0, 2))
        value[at : at + lost] = piece
    return bytes(value)
