"""The AsyncAPI document: topics, keys and messages for those who produce events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.events.examples import EXAMPLES

_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_JSON: Final = "application/json"


class _Topic:
    """What the document says of one topic."""

    def __init__(self, title: str, summary: str, key: str) -> None:
        self.title = title
        self.summary = summary
        self.key = key


_TOPICS: Final[Mapping[str, _Topic]] = {
    "traffic": _Topic("Traffic", "What visitors do, in the vocabulary of GA4.", "user_id"),
    "orders": _Topic("Orders", "The life of an order.", "order_id"),
    "coupons": _Topic("Coupons", "The life of a coupon.", "coupon_id"),
    "inventory": _Topic("Inventory", "Stock levels.", "item_id"),
    "spend": _Topic("Spend", "Marketing cost.", "channel"),
    "dlq": _Topic("Dead letters", "Every record that was refused, with the reason.", "The key of the refused record."),
}
_DEAD_LETTER: Final = {
    "reason": "schema_violation",
    "detail": "value: at most 2 decimals",
    "topic": "campaign.orders",
    "partition": 2,
    "offset": 1024,
    "key": "o-20261111-1",
    "value": "eyJ2YWx1ZSI6IjEuMjM0In0=",
    "received_at": "2026-11-11T12:00:00.456Z",
}


def examples(topic: str) -> Mapping[str, Mapping[str, Any]]:
    """Good messages of a topic, by name."""
    return {"refused": _DEAD_LETTER} if topic == "dlq" else EXAMPLES[topic]


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document; its payloads refer to the JSON Schemas beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Warroom events",
            "version": "1.0.0",
            "description": (
                "One JSON object (UTF-8) per Kafka record, at most 256 KiB. Unknown fields are ignored and `null` "
                "means absent. A later event with the same `event_id` in the same topic counts for nothing. "
                "The prefix of the topics is a setting."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "channels": {topic: _channel(topic) for topic in _TOPICS},
        "operations": {_operation_id(topic): _operation(topic) for topic in _TOPICS},
        "components": {"messages": {topic: _message(topic) for topic in _TOPICS}},
    }


def _channel(topic: str) -> dict[str, Any]:
    return {
        "address": f"campaign.{topic}",
        "title": _TOPICS[topic].title,
        "summary": _TOPICS[topic].summary,
        "messages": {topic: {"$ref": f"#/components/messages/{topic}"}},
    }


def _operation_id(topic: str) -> str:
    return "refuse" if topic == "dlq" else f"receive_{topic}"


def _operation(topic: str) -> dict[str, Any]:
    return {
        "action": "send" if topic == "dlq" else "receive",
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{topic}"}],
    }


def _message(topic: str) -> dict[str, Any]:
    key = _TOPICS[topic].key
    return {
        "name": topic,
        "title": _TOPICS[topic].title,
        "summary": _TOPICS[topic].summary,
        "contentType": _JSON,
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./{topic}.schema.json"}},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": key if " " in key else f"The event's `{key}`."},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": [{"name": name, "payload": payload} for name, payload in examples(topic).items()],
    }
