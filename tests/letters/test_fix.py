"""A fix changes what it names and nothing else, whatever the record holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidRequest
from services.common.letters import Fix, field_text

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=".[]"), min_size=1, max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
RECORDS = st.dictionaries(NAMES, VALUES, max_size=4)


def put(document: Any, path: list[str | int], value: Any) -> None:
    """The same in plain Python."""
    *way, last = path
    for step in way:
        document = document[step]
    document[last] = value


def text_of(path: list[str | int]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


@st.composite
def places(draw: st.DrawFn) -> tuple[dict[str, Any], list[str | int]]:
    """A record and a path to something in it, or to a new member of an object in it."""
    record = draw(RECORDS)
    path: list[str | int] = []
    here: Any = record
    while True:
        steps: list[str | int] = list(here) if isinstance(here, dict) else list(range(len(here)))
        fresh = isinstance(here, dict) and (not steps or draw(st.booleans()))
        path.append(draw(NAMES) if fresh else draw(st.sampled_from(steps)))
        here = here.get(path[-1]) if isinstance(here, dict) else here[path[-1]]
        if not here or not isinstance(here, dict | list) or draw(st.booleans()):
            return record, path


@given(places(), VALUES)
def test_it_is_what_plain_python_does(place: tuple[dict[str, Any], list[str | int]], value: Any) -> None:
    record, path = place
    fixed = Fix(fields={text_of(path): json.dumps(value).encode()}).apply(json.dumps(record).encode())
    put(record, path, value)
    assert json.loads(fixed) == record


def test_numbers_and_escapes_that_are_not_named_keep_their_text() -> None:
    record = rb'{"a": 1.10000000000000000000000001, "big": 123456789012345678901234567890, "b": [1e400, {"c": 1}]}'
    fixed = Fix(fields={"b[1].c": b"2.50"}).apply(record)
    assert fixed == (rb'{"a":1.10000000000000000000000001,"big":123456789012345678901234567890,"b":[1e400,{"c":2.50}]}')


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("a[3]", b'{"a": [1]}'),
        ("a[0]", b'{"a": "text"}'),
        ("a.b", b'{"a": "text"}'),
        ("a", b"[1]"),
        ("a", b"{broken"),
        ("a", b'{"x": "\xff"}\xff'),
        ("a..b", b"{}"),
        ("", b"{}"),
        ("a[", b"{}"),
        ("a", b"[" * 100_000),
    ],
)
def test_a_path_that_leads_nowhere_is_told(path: str, record: bytes) -> None:
    with pytest.raises(InvalidRequest, match="set"):
        Fix(fields={path: b"1"}).apply(record)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("CNY", b'"CNY"'),
        ("19.90", b"19.90"),
        ('"19.90"', b'"19.90"'),
        ("null", b"null"),
        ("", b'""'),
        ("2026-11-11T00:00:00Z", b'"2026-11-11T00:00:00Z"'),
        ("[" * 100_000, b'"' + b"[" * 100_000 + b'"'),
    ],
)
def test_what_a_person_writes_is_json_or_else_a_string(written: str, text: bytes) -> None:
    assert field_text(written) == text
