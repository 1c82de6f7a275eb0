"""Dead letters that name a person: the bytes that somebody sent, which nobody could read as an event."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from services.common.people import PersonKey, hashed
from services.common.store import REWRITTEN, Store

LETTERS: Final = "dead_letters"
_PORTION: Final = 200
_PAGE: Final = 5_000

ERASED: Final = "erased at the wish of the person whom it named"

_NAMING: Final = """
SELECT arrived_at, topic, kafka_partition, kafka_offset, reason, detail, key, value
FROM dead_letters
WHERE has({people:Array(String)}, key)
    OR has({people:Array(String)}, JSONExtractString(tryBase64Decode(value) AS sent, 'user_id'))
    OR arrayExists(person -> position(sent, concat('"', person, '"')) > 0, {people:Array(String)})
ORDER BY arrived_at, topic, kafka_partition, kafka_offset"""

_AFTER: Final = """
SELECT
    arrived_at,
    topic,
    kafka_partition,
    kafka_offset,
    key,
    JSONExtractString(tryBase64Decode(value), 'user_id') AS person
FROM dead_letters
WHERE (arrived_at, topic, kafka_partition, kafka_offset) >
    (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {topic:String}, {partition:UInt16}, {offset:UInt64})
    AND (key IS NOT NULL OR value != '')
ORDER BY arrived_at, topic, kafka_partition, kafka_offset
LIMIT {limit:UInt32}"""

_EMPTY: Final = """
ALTER TABLE dead_letters UPDATE key = NULL, key_base64 = '', value = '', detail = {erased:String}
WHERE (topic, kafka_partition, kafka_offset, arrived_at) IN (%s)"""


def naming(store: Store, people: Sequence[str]) -> list[dict[str, Any]]:
    """The letters whose record key or value names one of `people`, by the ids that were sent. Raises `StoreError`."""
    found = []
    for start in range(0, len(people), _PORTION):
        found += store.query(_NAMING, {"people": list(people[start : start + _PORTION])})
    return found


def of_erased(store: Store, keys: Sequence[PersonKey], erased: set[str]) -> Iterator[dict[str, Any]]:
    """The letters that name somebody whose pseudonym is among `erased`. Raises `StoreError`."""
    after: dict[str, Any] = {"at": 0, "topic": "", "partition": 0, "offset": 0}
    while page := store.query(_AFTER, {**after, "limit": _PAGE}):
        for row in page:
            sent = {row["person"], row["key"] or ""} - {""}
            if any(person in erased or hashed(key, "user_id", person) in erased for person in sent for key in keys):
                yield row
        last = page[-1]
        after = {
            "at": round(last["arrived_at"].timestamp() * 1000),
            "topic": last["topic"],
            "partition": last["kafka_partition"],
            "offset": last["kafka_offset"],
        }


def empty(store: Store, letters: Sequence[dict[str, Any]]) -> None:
    """Takes away what was sent; that something was refused, and why, stays. Raises `StoreError`."""
    for start in range(0, len(letters), _PORTION):
        parameters: dict[str, Any] = {"erased": ERASED}
        places = []
        # By their places: a statement that named a person would be kept by the server for a while.
        for number, letter in enumerate(letters[start : start + _PORTION]):
            places.append(
                f"({{topic{number}:String}}, {{partition{number}:UInt16}}, {{offset{number}:UInt64}}, "
                f"fromUnixTimestamp64Milli({{at{number}:Int64}}, 'UTC'))"
            )
            parameters |= {
                f"topic{number}": letter["topic"],
                f"partition{number}": letter["kafka_partition"],
                f"offset{number}": letter["kafka_offset"],
                f"at{number}": round(letter["arrived_at"].timestamp() * 1000),
            }
        store.command(_EMPTY % ", ".join(places) + REWRITTEN, parameters)


def readable(value: str) -> Any:
    """What was sent, as JSON where it is such, else as text."""
    try:
        sent = base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return value
    try:
        return json.loads(sent)
    except ValueError:
        return sent
