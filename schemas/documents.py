"""The documents that are generated from the code: what each is called and how it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Discriminator, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.asyncapi import asyncapi
from schemas.dead_letters import DeadLetter
from schemas.events import AdSpend, CouponEvent, CouponRedeemed, OrderEvent, StockLevel, TrafficEvent
from schemas.explanations.document import metrics_document
from schemas.receivers import ReceiverFile

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository, which the paths of documents are relative to."""

PAYLOADS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "traffic": TypeAdapter(TrafficEvent),
    "orders": TypeAdapter(OrderEvent),
    "coupons": TypeAdapter(Annotated[CouponEvent | CouponRedeemed, Discriminator("event_name")]),
    "inventory": TypeAdapter(StockLevel),
    "spend": TypeAdapter(AdSpend),
    "dlq": TypeAdapter(DeadLetter),
}
"""What each topic carries, by the topic's name without prefix."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file in the repository that is written by `warroom schemas generate`."""

    path: str
    render: Callable[[], str]

    def is_stale(self, root: Path) -> bool:
        """Whether the file under `root` is missing or differs from what the code says now."""
        try:
            return (root / self.path).read_text(encoding="utf-8") != self.render()
        except FileNotFoundError:
            return True

    def write(self, root: Path) -> None:
        """Writes the file under `root`, with the folders it needs."""
        target = root / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.render(), encoding="utf-8")


class _Plain(GenerateJsonSchema):
    """Leaves out what says nothing: titles that repeat a field's name, and null as the default of what is absent."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def json_schema(topic: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of what a topic carries.

    What a schema cannot say exactly, such as at most two decimals in a JSON number, its descriptions say; the models
    have the last word.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"campaign.{topic}",
        **PAYLOADS[topic].json_schema(schema_generator=_Plain),
    }


def _pretty(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _schema_text(topic: str) -> str:
    return _pretty(json_schema(topic))


def _asyncapi_text() -> str:
    return _pretty(asyncapi())


def _receivers_text() -> str:
    schema = ReceiverFile.model_json_schema(schema_generator=_Plain)
    return _pretty({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


DOCUMENTS: Final[Sequence[Document]] = (
    *(Document(f"schemas/generated/{topic}.schema.json", partial(_schema_text, topic)) for topic in PAYLOADS),
    Document("schemas/generated/asyncapi.json", _asyncapi_text),
    Document("schemas/generated/receivers.schema.json", _receivers_text),
    Document("docs/metrics.md", metrics_document),
)
"""Every generated document; a new one is added here and nowhere else."""
