"""How a festival reaches Kafka: late, doubled, out of order, and with records among it that are to be refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from tests.conformance.records import KEY_FIELD, Record, stamp, written
from tests.festivals.script import DAY, HOUR, MINUTE, Event, Festival

_LATE: Final = 0.02
_DOUBLED: Final = 0.03
_REFUSED: Final = 0.01


def arrivals(festival: Festival, seed: int) -> list[Record]:
    """The festival's records in the order in which they are sent; `reason` says which are refused."""
    rng = Random(seed)
    sent: list[tuple[int, int, Record]] = []
    # Ids say nothing about the order of events.
    numbers = list(range(len(festival.events)))
    rng.shuffle(numbers)
    for number, event in zip(numbers, festival.events, strict=True):
        body = _body(rng, festival.name, f"{festival.name}-{number:06d}", event)
        at_ms = event.at_ms + _delay(rng)
        sent.append((at_ms, number, _record(event.kind, body, rng)))
        if rng.random() < _DOUBLED:
            later = at_ms + 1 + rng.randrange(rng.choice((5_000, 6 * HOUR)))
            sent.append((later, number, _record(event.kind, _told_again(rng, event.kind, body), rng)))
        if rng.random() < _REFUSED:
            # Its id is used up by nothing: the good event of that id may come before or after.
            value, reason = _spoilt(rng, event.kind, body)
            wrong = Record(event.kind, _key(event.kind, body), value, reason)
            sent.append((at_ms + rng.randrange(-MINUTE, MINUTE), number, wrong))
    sent.sort(key=lambda entry: entry[:2])
    return [record for _, _, record in sent]


def _delay(rng: Random) -> int:
    if rng.random() < _LATE:
        return rng.randrange(HOUR, DAY)
    return int(rng.expovariate(1 / 2_000))


def _body(rng: Random, campaign: str, event_id: str, event: Event) -> dict[str, Any]:
    """The event as it is sent: what is absent is left out or null, money is a string or a number."""
    body: dict[str, Any] = {
        "event_id": event_id,
        "event_time": stamp(rng, event.at_ms),
        "campaign_id": campaign,
    }
    for name, value in event.fields.items():
        if value is None and rng.random() < 0.7:
            continue
        if name in ("value", "cost", "face_value") and rng.random() < 0.4:
            # Written as the number that it is, digit for digit.
            value = f"#{value}#"  # noqa: PLW2901
        body[name] = value
    return body


def _key(kind: str, body: dict[str, Any]) -> bytes:
    return str(body.get(KEY_FIELD[kind]) or "unknown").encode()


def _record(kind: str, body: dict[str, Any], rng: Random) -> Record:
    return Record(kind, _key(kind, body), written(body, rng).encode())


def _told_again(rng: Random, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """A repeat under the same key: the same, or another story that counts for nothing."""
    if rng.random() < 0.5:
        return body
    other = dict(rng.choice(list(_changes(kind))))
    return {**body, **other}


def _changes(kind: str) -> Iterator[dict[str, Any]]:
    yield {"event_time": "2026-01-02T03:04:05Z"}
    yield {"campaign_id": "another"}
    yield {"region": "CN-99"}
    if kind == "orders":
        yield {"value": "999999.99", "event_name": "order_paid"}
    if kind == "traffic":
        yield {"event_name": "begin_checkout", "channel": "app"}
    if kind == "inventory":
        yield {"available": 7}


def _spoilt(rng: Random, kind: str, body: dict[str, Any]) -> tuple[bytes, str]:
    """A record that is refused for one reason alone."""
    choices: list[tuple[bytes | dict[str, Any], str]] = [
        (b'{"event_id": "x", ', "invalid_json"),
        (b'["no", "object"]', "invalid_json"),
        ({**body, "event_name": "Order-Paid!"}, "unknown_event_name"),
        ({**body, "event_time": "1999-12-31T23:59:59Z"}, "event_time_out_of_range"),
        ({**body, "event_time": "2199-01-01T00:00:00Z"}, "event_time_out_of_range"),
        ({**body, "campaign_id": "no/slash"}, "schema_violation"),
        ({**body, "event_id": "x" * 65}, "schema_violation"),
        ({**body, "event_time": "yesterday"}, "schema_violation"),
        ({**body, "page_location": "x" * (300 << 10)}, "too_large"),
    ]
    if kind in ("traffic", "orders", "coupons"):
        choices.append(({**body, "user_id": None}, "schema_violation"))
    if kind == "orders":
        choices += [
            ({**body, "value": "-1"}, "schema_violation"),
            ({**body, "value": "1.234"}, "schema_violation"),
            ({**body, "currency": "JPY"}, "unsupported_currency"),
            ({**body, "order_id": None}, "schema_violation"),
            ({**body, "items": [{"item_id": "i", "quantity": 0, "price": "1"}]}, "schema_violation"),
        ]
    if kind == "inventory":
        choices.append(({**body, "available": -1}, "schema_violation"))
    if kind == "spend":
        choices.append(({**body, "cost": None}, "schema_violation"))
    value, reason = rng.choice(choices)
    # The large ones are few: they are a quarter of a megabyte each.
    if reason == "too_large" and rng.random() < 0.8:
        value, reason = choices[0]
    return value if isinstance(value, bytes) else _written(value), reason


def _written(body: dict[str, Any]) -> bytes:
    return written(json.loads(json.dumps(body))).encode()
