"""`traceparent`s are found in the bytes of batches, whoever wrote them, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from services.common import tracing
from services.common.tracing import MOST_LINKS
from services.ingest import fetched
from services.ingest.records import Chunk, Traced, Values

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_SAMPLED = SAMPLED[:-2] + "00"

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
RECORDS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=8),
        st.none() | st.binary(max_size=40),
        st.lists(
            st.sampled_from(
                [("traceparent", SAMPLED.encode()), ("traceparent", NOT_SAMPLED.encode()), ("traceparent", b"nonsense")]
            )
            | st.tuples(st.text("abc", min_size=1, max_size=11), st.binary(max_size=55)),
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=40,
)


def chunk_of(records: list[Record], codec: int = 0) -> Chunk:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 20)
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, 1_700_000_000_000, key, value, headers)
    data = bytes(builder.build())
    raw = memoryview(data)
    chunk = fetched._chunk([(MemoryRecords(data).next_batch(), raw, fetched._inflated(raw))])
    assert chunk is not None
    return chunk


@pytest.fixture(autouse=True)
def _on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_backend", object())


@pytest.mark.parametrize("codec", [0, 1, 4], ids=["plain", "gzip", "zstd"])
@given(records=RECORDS)
def test_those_that_are_sampled_are_found_at_their_offsets(codec: int, records: list[Record]) -> None:
    """Catches: a header of the wrong record, an unsampled one, one that stands in a value."""
    expected = [
        Traced(offset, SAMPLED)
        for offset, (_, _, headers) in enumerate(records)
        for name, value in headers
        if (name, value) == ("traceparent", SAMPLED.encode())
    ]
    assert list(chunk_of(records, codec).traces) == expected[:MOST_LINKS]


def test_what_a_value_says_is_no_header() -> None:
    """Catches: a customer's text that links to whatever trace it names."""
    forged = b"\x16traceparent\x6e" + SAMPLED.encode()
    assert chunk_of([(None, b"{}", []), (b"k", forged, []), (None, b"{}", [])]).traces == ()


def test_nothing_is_looked_for_while_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_backend", None)
    assert chunk_of([(None, b"{}", [("traceparent", SAMPLED.encode())])]).traces == ()


@given(st.sets(st.integers(0, 19)), st.integers(1, 19))
def test_a_chunk_that_is_cut_and_joined_keeps_them(marked: set[int], cut: int) -> None:
    """Catches: a trace that goes to the wrong half, or is lost where chunks are joined."""
    values = Values.of([b"{}"] * 20)
    traces = tuple(Traced(offset, SAMPLED) for offset in sorted(marked))
    chunk = Chunk(values, values, np.arange(20), 0, 40, 20, traces)
    head, rest = chunk.split(cut)
    assert [each.offset for each in head.traces] == sorted(each for each in marked if each < cut)
    assert [each.offset for each in rest.traces] == sorted(each for each in marked if each >= cut)
    assert Chunk.joined([head, rest]).traces == traces
