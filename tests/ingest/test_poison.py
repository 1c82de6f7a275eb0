"""Records made to do harm: each is refused and kept as it was, and what stands behind it in its partition goes on."""

from __future__ import annotations

import base64
import json

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.common.kafka import ensure_topics
from services.common.letters import LetterBook, Selection
from services.common.store import Store, StorePool
from tests.ingest.harness import Record, order, produce, read_letters, record, running, settings_for, until_handled
from tests.support.kafka import KafkaServer
from tests.support.store import fresh_campaign

_EVENT = json.dumps(order("poison")).encode()

POISON: dict[str, tuple[bytes | None, bytes | None]] = {
    "tombstone": (b"k", None),
    "nothing": (b"k", b""),
    "no key": (None, b"{"),
    "key that is not UTF-8": (b"\xff\xfe\x00", b"{"),
    "key of 500 KB": (b"k" * 500_000, b"{"),
    "zero bytes": (b"\x00", b"\x00" * 1000),
    "a MB of spaces": (b"k", b" " * 1_000_000),
    "256 KiB of spaces": (b"k", b" " * (256 << 10)),
    "deep arrays": (b"k", b"[" * 200_000),
    "deep objects": (b"k", b'{"a":' * 40_000),
    "deep within a good event": (b"k", _EVENT[:-1] + b', "x": ' + b"[" * 600 + b"]" * 600 + b"}"),
    "not UTF-8": (b"k", _EVENT.replace(b"order_paid", b"order_\xff\xfe")),
    "half of a surrogate pair": (b"k", _EVENT.replace(b"u1", rb"\ud800")),
    "byte order mark": (b"k", b"\xef\xbb\xbf" + _EVENT),
    "an exponent beyond all": (b"k", _EVENT.replace(b'"19.90"', b"1e999999999")),
    "an exponent below all": (b"k", _EVENT.replace(b'"19.90"', b"1e-999999999")),
    "a number of 200,000 digits": (b"k", _EVENT.replace(b'"19.90"', b"9" * 200_000)),
    "a fraction of 200,000 digits": (b"k", _EVENT.replace(b'"19.90"', b"0." + b"3" * 200_000)),
    "no number": (b"k", _EVENT.replace(b'"19.90"', b"NaN")),
    "an id of 200 KB": (b"k", _EVENT.replace(b'"event_id": "', b'"event_id": "' + b"x" * 200_000)),
    "a thousand wrong lines": (b"k", _EVENT[:-1] + b', "items": [' + b",".join([b'{"price": -1}'] * 10_000) + b"]}"),
    "escapes for a terminal": (b"\x1b[31m", b"\x1b]0;x\x07{"),
    "quotes of a letter": (b"k", b'"topic":"x","partition":0,"offset":1'),
}


async def test_none_stalls_its_partition(broker: KafkaServer, store: Store) -> None:
    campaign = fresh_campaign("poison")
    settings = settings_for(broker, topic_partitions=1, batch_max_rows=5)
    records: list[Record] = []
    for key, value in POISON.values():
        records += [record("orders", order(campaign)), ("orders", key, value)]
    records.append(record("orders", order(campaign)))
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records, 60)

    (row,) = store.query("SELECT count() AS n FROM order_events WHERE campaign_id = {c:String}", {"c": campaign})
    assert row["n"] == len(POISON) + 1
    letters = {fields["offset"]: (key, fields) for key, fields in await read_letters(settings)}
    assert set(letters) == set(range(1, 2 * len(POISON), 2))
    pool = StorePool(store, threads=1, name="letters")
    try:
        book = LetterBook(pool)
        rows = await book.page(Selection(topic=settings.topics["orders"]), limit=1000, newest_first=False)
        values = await book.values(rows)
    finally:
        await pool.close()
    for number, (name, (key, value)) in enumerate(POISON.items()):
        offset = 2 * number + 1
        letter_key, fields = letters[offset]
        assert (letter_key, base64.b64decode(fields["value"])) == (key, value or b""), name
        assert len(fields["detail"]) < 300, name
        (kept,) = [each for each in rows if each.place.offset == offset]
        assert (kept.key_bytes, kept.value_bytes, values[kept.identity]) == (key, len(value or b""), value or b""), name


async def test_a_topic_that_takes_less_than_a_letter_gets_what_fits(broker: KafkaServer, store: Store) -> None:
    """The broker refuses the batch for good, and with it the sequence of whoever sent it."""
    settings = settings_for(broker, topic_partitions=1)
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        small = {"max.message.bytes": str(100_000)}
        await admin.create_topics([NewTopic(settings.topics["dlq"], 1, 1, topic_configs=small)])
    finally:
        await admin.close()
    await ensure_topics(settings)
    records: list[Record] = [
        ("orders", b"a", b"{" * 10),
        ("orders", b"b", b"{" * 200_000),
        *[("orders", b"c", b"{" * 20_000)] * 20,
    ]
    async with running(settings, store):
        await produce(settings, records)
        await until_handled(store, settings, records, 60)
        more: list[Record] = [("orders", b"d", b"{" * 10)]
        await produce(settings, more)
        await until_handled(store, settings, records + more)
    letters = {fields["offset"]: fields for _, fields in await read_letters(settings)}
    assert set(letters) == set(range(len(records) + 1))
    (row,) = store.query(
        "SELECT count() AS n, sum(value_bytes) AS bytes FROM dead_letters WHERE topic = {t:String}",
        {"t": settings.topics["orders"]},
    )
    assert (row["n"], row["bytes"]) == (len(records) + 1, 20 + 200_000 + 20 * 20_000)
