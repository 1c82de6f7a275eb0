"""Every refused record is kept with its reason, byte for byte, in Kafka and over HTTP; nothing else is."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest

from tests.conformance.oracle import instant
from tests.conformance.records import KINDS, Record
from tests.conformance.system import Letter, Place, System

REASONS = (
    "invalid_json",
    "schema_violation",
    "unknown_event_name",
    "unsupported_currency",
    "event_time_out_of_range",
    "too_large",
)


@pytest.fixture(scope="module")
def letters(system: System) -> list[Letter]:
    """The topic of dead letters."""
    return system.letters()


def refused(system: System) -> dict[Place, Record]:
    """What had to be refused, by where it stands in Kafka."""
    return {place: sent for place, sent in zip(system.places, system.records, strict=True) if sent.reason}


def where(letter: dict[str, Any]) -> Place:
    """Where the refused record stands."""
    return Place(letter["topic"], letter["partition"], letter["offset"])


def letter_problems(system: System, letters: list[Letter]) -> list[str]:
    """Records that were refused or accepted against the contract, or for another reason, or refused twice."""
    bodies = [json.loads(letter.value) for letter in letters]
    found = {where(body): body["reason"] for body in bodies}
    wrong = [] if len(found) == len(bodies) else ["a record was refused twice"]
    for place, sent in zip(system.places, system.records, strict=True):
        if found.pop(place, None) != sent.reason:
            wrong.append(f"{sent.kind} {sent.value!r:.300}: not {sent.reason}")
    return wrong + [f"{place} was never sent" for place in found]


def test_what_is_refused_and_why(system: System, letters: list[Letter]) -> None:
    """Exactly the records that the contract refuses, each once, for its reason."""
    assert not letter_problems(system, letters)


def test_the_bytes_are_kept(system: System, letters: list[Letter]) -> None:
    """Key and value are what was sent, whatever they hold; a record without a value has no bytes."""
    expected = refused(system)
    for letter in letters:
        body = json.loads(letter.value)
        assert set(body) >= {"reason", "detail", "topic", "partition", "offset", "key", "value", "received_at"}
        record = expected[where(body)]
        assert letter.key == record.key
        assert base64.b64decode(body["value"] or "", validate=True) == (record.value or b"")
        assert body["detail"]
        instant(body["received_at"])
        if record.key is None:
            assert body["key"] is None
        elif b"\xff" not in record.key:
            assert body["key"] == record.key.decode()


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        (None, None),
        *((reason, None) for reason in REASONS),
        *((None, f"campaign.{kind}") for kind in KINDS),
        ("invalid_json", "campaign.spend"),
        ("unsupported_currency", "campaign.traffic"),
    ],
)
def test_over_http(system: System, reason: str | None, topic: str | None) -> None:
    """Rows, newest first, by reason and by topic."""
    rows = system.get("/dead-letters", reason=reason, topic=topic, limit=1000)["rows"]
    assert len(refused(system)) <= 1000, "more than one answer may hold"
    expected = Counter(
        (place.topic, place.partition, place.offset, sent.reason)
        for place, sent in refused(system).items()
        if reason in (None, sent.reason) and topic in (None, place.topic)
    )
    assert Counter((row["topic"], row["partition"], row["offset"], row["reason"]) for row in rows) == expected
    times = [instant(row["received_at"]) for row in rows]
    assert times == sorted(times, reverse=True)
