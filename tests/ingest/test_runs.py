"""Runs of traffic, read whole, come to what they come to one event at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events.examples import EXAMPLES
from schemas.events.limits import MAX_AHEAD_MS, MAX_EVENT_BYTES
from services.common.decode import Decoder
from services.ingest.columns import batch
from services.ingest.records import Values
from services.ingest.runs import Run, each, run_decoder
from services.ingest.scan import FIELDS, scan
from tests.schemas.strategies import damaged, records, times
from tests.schemas.verdicts import CURRENCIES, NOW_MS

WHOLE = run_decoder("traffic", CURRENCIES)
BY_EVENT = each("traffic", Decoder("traffic", CURRENCIES).decode)

thorough = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def visible(run: Run) -> tuple[Any, Any]:
    for column in run.columns.values():
        column.validate(full=True)
    columns = {
        name: (column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column).to_pylist()
        for name, column in run.columns.items()
    }
    return columns, [(at, error.reason, error.detail) for at, error in run.refused]


def check(values: Sequence[bytes | None]) -> None:
    whole, by_event = WHOLE(values, NOW_MS), BY_EVENT(values, NOW_MS)
    assert visible(whole) == visible(by_event)
    if whole.columns:
        assert rows(whole).schema.equals(rows(by_event).schema), "runs of one block must have one schema"


def rows(run: Run) -> pa.RecordBatch:
    return batch(run.columns, np.zeros(len(run.columns["event_id"]), np.uint64), 0, NOW_MS)


def example(**fields: Any) -> dict[str, Any]:
    return {**EXAMPLES["traffic"]["page_view"], **fields}


def encoded(**fields: Any) -> bytes:
    return json.dumps(example(**fields), ensure_ascii=False).encode()


@given(st.lists(records("traffic") | damaged("traffic") | st.none() | st.binary(max_size=30), max_size=12))
@thorough
def test_hostile_runs(values: list[bytes | None]) -> None:
    check(values)


@given(st.lists(st.tuples(st.sampled_from(sorted(FIELDS)), st.text(max_size=20)), min_size=1, max_size=8))
@thorough
def test_texts_of_any_script(fields: list[tuple[str, str]]) -> None:
    check([encoded(**{name: text}) for name, text in fields])


@given(st.lists(times, min_size=1, max_size=4))
@thorough
def test_times(texts: list[str]) -> None:
    head = encoded(event_time="@").decode()
    check([head.replace('"@"', text).encode("utf-8", "surrogatepass") for text in texts])


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.text(max_size=12), plain_json), min_size=1, max_size=4), st.sampled_from((None, 1)))
@thorough
def test_unknown_fields(extra: list[tuple[str, Any]], indent: int | None) -> None:
    # After a name that is nearly one of ours, too.
    names = [f"{name}x" for name in FIELDS] + [name[:-1] for name in FIELDS]
    values = [
        json.dumps(example(**{key: value, names[number]: value}), indent=indent, ensure_ascii=bool(indent)).encode()
        for number, (key, value) in enumerate(extra)
    ]
    check(values)


@given(st.sampled_from(sorted(FIELDS)), plain_json)
@thorough
def test_values_of_the_wrong_kind(name: str, value: Any) -> None:
    check([encoded(), encoded(**{name: value}), encoded()])


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":tru}', b'{"a":nul}', b'{"a":falsy}', b'{"a":f', b'{"a":01}', b'{"a":-}', b'{"a":1.}', b'{"a":1e}',
        b'{"a":.5}', b'{"a":+1}', b'{"a":1,}', b'{,}', b'{"a"}', b'{"a":', b'{"a', b"{", b"", b"[]", b"{}{}", b"{} x",
        b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b'{"a":"\xf4\x90\x80\x80"}',
        b'{"a":"\xe0\x80\x80"}', b'{"a":"\xf0\x80\x80\x80"}', b'{"a":"\xe2\x82"}', b'{"a":"\xc3', b'{"a":"\t"}',
        b'\xef\xbb\xbf{}', b'{"a":NaN}',
        b"{'a':1}", b'{"\xff":1}', b'{"a":1 2}', b'{"a" 1}', b'{"a":1]', b'{"a\\u0062":1}',
    ],
)  # fmt: skip
def test_what_is_not_json(text: bytes) -> None:
    """Alone, and in front of and behind what is in order."""
    sound = encoded()
    check([text])
    check([sound, text, sound, sound[:-1] + b"," + text[1:], sound[:-1] + b', "more":' + text + b"}"])


def test_a_field_twice_counts_as_the_decoder_says() -> None:
    check([b'{"event_id":"other",' + encoded()[1:], b'{"unknown":1,"unknown":2,' + encoded()[1:]])


@pytest.mark.parametrize("count", [0, 1, 2**53, 2**53 + 1, 10**16, 10**30, -1, 1.0, 1.5, 1e3, True, "7"])
def test_counts(count: Any) -> None:
    check([encoded(engagement_time_msec=count)])


@pytest.mark.parametrize(("name", "longest"), [("event_id", 64), ("user_id", 128), ("channel", 32), ("event_name", 64)])
def test_lengths_are_of_characters(name: str, longest: int) -> None:
    letters = "ax" if name == "event_name" else "ax食é🛒"
    check([encoded(**{name: letter * size}) for letter in letters for size in (0, 1, longest, longest + 1)])


def test_the_future_begins_after_ten_minutes() -> None:
    from services.common.clock import to_datetime

    moments = [NOW_MS + MAX_AHEAD_MS + late for late in (-1, 0, 1)]
    check([encoded(event_time=to_datetime(moment).isoformat(timespec="milliseconds")) for moment in moments])


def test_large_records() -> None:
    room = MAX_EVENT_BYTES - len(encoded(page_location=""))
    check([encoded(page_location="x" * (room + more)) for more in (-1, 0, 1)])


def test_a_column_of_more_values_than_labels_are_for() -> None:
    check([encoded(event_id=f"e{number}", utm_source=f"source-{number % 700}") for number in range(1500)])


def test_most_real_records_are_plain() -> None:
    """Else the fast way is a slow way of finding out."""
    values = [encoded(), encoded(session_id=None), encoded(extra=1, other="x"), encoded(item_category="食品饮料")]
    assert scan(Values.of(values), NOW_MS).plain.all()
