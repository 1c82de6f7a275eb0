"""Record batches that inflate to more than any process holds, or are not what they say.

The rest of the partition goes on: such a batch becomes one dead letter.
"""

from __future__ import annotations

import struct
from decimal import Decimal

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.limits import MAX_EVENT_BYTES
from services.common.decode import Decoder
from services.common.errors import RefusedEvent
from services.ingest.inflate import MOST_INFLATED, TooMuch, Unreadable, inflate
from services.ingest.records import Chunk
from tests.hostile.batches import ENCODERS, GZIP, LZ4, SNAPPY, ZSTD, batch, batch_of, bomb, record
from tests.ingest.test_fetched import chunks_of, fetch

CODECS = (GZIP, SNAPPY, LZ4, ZSTD)


def values_of(chunks: list[Chunk]) -> list[bytes | None]:
    return [value for chunk in chunks for value in chunk.values]


@pytest.mark.parametrize("codec", CODECS)
def test_a_bomb_is_one_refused_record_between_the_others(codec: int) -> None:
    data = batch_of([b"one", b"two"], codec=codec)
    data += batch(bomb(codec, 4 * MOST_INFLATED), codec=codec, base=2, count=1000)
    data += batch_of([b"three"], codec=codec, base=1002)
    chunks, left_at = chunks_of(data, 0, 1)
    one, two, refused, three = values_of(chunks)
    assert (one, two, three) == (b"one", b"two", b"three")
    assert [offset for chunk in chunks for offset in chunk.offsets] == [0, 1, 2, 1002]
    assert left_at == 1003
    assert refused is not None
    assert len(refused) == MAX_EVENT_BYTES + 1
    assert reason(refused) == "too_large"


def reason(value: bytes) -> str:
    with pytest.raises(RefusedEvent) as refused:
        Decoder("traffic", {"CNY": Decimal(1)}).decode(value, 1_794_355_230_000)
    return refused.value.reason


def test_many_batches_that_are_allowed_do_not_add_up() -> None:
    """Each of a few kilobytes, as many as fit into one fetch: they come one by one."""
    size = 8 << 20
    body = ENCODERS[ZSTD](record(bytes(size)))
    data = b"".join(batch(body, codec=ZSTD, base=number) for number in range(20))
    assert len(data) < 1 << 20
    chunks, left_at = chunks_of(data, 0, 1)
    assert left_at == 20
    assert {len(chunk) for chunk in chunks} == {1}
    assert max(len(chunk.values.data) for chunk in chunks) < 2 * size


@pytest.mark.parametrize(
    ("codec", "body", "count"),
    [
        pytest.param(0, record(b"x"), (1 << 31) - 1, id="more records than bytes"),
        pytest.param(0, record(b"x"), -1, id="fewer records than none"),
        pytest.param(GZIP, ENCODERS[GZIP](record(b"x"))[:-9], 1, id="gzip that ends early"),
        pytest.param(GZIP, b'{"event_id": "1"}', 1, id="no gzip at all"),
        pytest.param(SNAPPY, b"\xff\xff\xff\xff\x0f" + b"x" * 20, 1, id="snappy that claims 4 GiB and lies"),
        pytest.param(
            SNAPPY, b"\x82SNAPPY\0" + struct.pack("!iii", 1, 1, -4), 1, id="a block that begins before itself"
        ),
        pytest.param(SNAPPY, b"\x82SNAPPY\0" + struct.pack("!iii", 1, 1, 1 << 30), 1, id="a block that is not there"),
        pytest.param(SNAPPY, b"\x82SNAPPY\0\0", 1, id="a header that is cut"),
        pytest.param(
            SNAPPY, b"\x82SNAPPY\0\1" + ENCODERS[SNAPPY](record(b"x"))[9:], 1, id="a version of snappy's frame to come"
        ),
        pytest.param(LZ4, b"\x04\x22\x4d\x18" + b"\xff" * 20, 1, id="lz4 with a wrong header"),
        pytest.param(ZSTD, b"\x28\xb5\x2f\xfd" + b"\xff" * 20, 1, id="zstd with a wrong header"),
        pytest.param(7, record(b"x"), 1, id="a codec that does not exist"),
    ],
)
def test_a_batch_that_is_not_what_it_says_is_one_refused_record(codec: int, body: bytes, count: int) -> None:
    lie = batch(body, codec=codec, count=count, last_delta=4)
    chunks, left_at = chunks_of(lie + batch_of([b"next"], base=5), 0, 1)
    refused, following = values_of(chunks)
    assert following == b"next"
    assert left_at == 6
    assert refused is not None
    assert reason(refused) in ("invalid_json", "too_large")


@settings(max_examples=300)
@given(st.sampled_from([0, *CODECS]), st.binary(max_size=200), st.integers(0, 40), st.data())
def test_bytes_that_were_changed_are_read_as_aiokafka_does_or_refused(
    codec: int, junk: bytes, at: int, data: st.DataObject
) -> None:
    """The checksum is right: whoever changes a batch can compute it. Found by this: the name of a header that is no
    UTF-8, which aiokafka raises a `UnicodeDecodeError` for."""
    body = bytearray(ENCODERS[codec](record(b"first") + record(b"second", delta=1, key=b"k")))
    at = min(at, len(body))
    body[at : at + data.draw(st.integers(0, 8))] = junk
    changed = batch(bytes(body), codec=codec, count=2)
    try:
        expected = [each.value for each in fetch(changed, 0)]
    except Exception:
        expected = None
    found = values_of(chunks_of(changed, 0, 1)[0])
    refused = len(found) == 1 and found[0] is not None and (found[0] == changed or len(found[0]) == MAX_EVENT_BYTES + 1)
    # Which broken checksum is forgiven differs from codec to codec; what both read they must read alike. Offsets that
    # do not grow are refused, where aiokafka passes over records.
    if not refused and expected is not None:
        assert found == expected


@given(st.sampled_from(CODECS), st.binary(max_size=5_000), st.integers(1, 30))
def test_what_comes_out_is_what_went_in(codec: int, data: bytes, times: int) -> None:
    whole = data * times
    assert bytes(inflate(codec, memoryview(bytes(ENCODERS[codec](whole))))) == whole


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("over", [0, 1])
def test_the_bound_is_exact(codec: int, over: int) -> None:
    most = 5 << 20
    packed = memoryview(bytes(ENCODERS[codec](bytes(most + over))))
    if over:
        with pytest.raises(TooMuch) as refused:
            inflate(codec, packed, most=most, head=7)
        assert refused.value.head in (bytes(7), b"")
    else:
        assert len(inflate(codec, packed, most=most)) == most


def test_raw_snappy_is_read_too() -> None:
    packed = memoryview(bytes(cramjam.snappy.compress_raw(b"without blocks" * 9)))
    assert bytes(inflate(SNAPPY, packed)) == b"without blocks" * 9
    with pytest.raises(Unreadable):
        inflate(SNAPPY, packed[:5])
