"""Puts the shapes of answers into an OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from schemas.alerts import Alert, AlertDetail, Silence
from schemas.http.shapes.access import ActivityRow, SessionAnswer
from schemas.http.shapes.alerts import RuleList
from schemas.http.shapes.base import Health, Listing, Problem, Table
from schemas.http.shapes.numbers import (
    BreakdownRow,
    CampaignRow,
    CatalogueRow,
    FunnelByRow,
    InventoryRow,
    LadderUntilRow,
    Overview,
    PacingRow,
    SeriesRow,
)
from schemas.http.shapes.rehearsals import RehearsalRow, Scorecard
from schemas.http.shapes.wall import Snapshot

_CAMPAIGN = "/api/v1/campaigns/{campaign_id}"

SHAPES: Final[Mapping[str, type[BaseModel]]] = {
    "GET /api/v1/metrics": Listing[CatalogueRow],
    "GET /api/v1/campaigns": Listing[CampaignRow],
    f"GET {_CAMPAIGN}": CampaignRow,
    f"PUT {_CAMPAIGN}": CampaignRow,
    f"GET {_CAMPAIGN}/overview": Overview,
    f"GET {_CAMPAIGN}/timeseries": Table[SeriesRow],
    f"GET {_CAMPAIGN}/breakdown": Table[BreakdownRow],
    f"GET {_CAMPAIGN}/funnel": Table[FunnelByRow],
    f"GET {_CAMPAIGN}/inventory": Table[InventoryRow],
    f"GET {_CAMPAIGN}/ladder": Table[LadderUntilRow],
    f"GET {_CAMPAIGN}/pacing": Table[PacingRow],
    f"GET {_CAMPAIGN}/snapshot": Snapshot,
    "GET /api/v1/alerts": Listing[Alert],
    "GET /api/v1/alerts/{alert_id}": AlertDetail,
    "POST /api/v1/alerts/{alert_id}/ack": AlertDetail,
    "POST /api/v1/silences": Silence,
    "GET /api/v1/silences": Listing[Silence],
    "DELETE /api/v1/silences/{silence_id}": Silence,
    "GET /api/v1/rules": RuleList,
    "GET /api/v1/rehearsals": Listing[RehearsalRow],
    "GET /api/v1/rehearsals/{name}": Scorecard,
    "GET /api/v1/session": SessionAnswer,
    "GET /api/v1/activity": Listing[ActivityRow],
    "GET /healthz": Health,
    "GET /readyz": Health,
}
"""What calls answer in JSON when they succeed. A call that is missing here says nothing of its answer."""

_REFERENCE = "#/components/schemas/{model}"
_GENERIC = re.compile(r"\b(Table|Panel|Listing)_(\w+?)(?:Row)?_\b")
# FastAPI's own form of an error, which no call answers.
_NOT_ANSWERED = ("HTTPValidationError", "ValidationError")
_PROBLEM = {
    "description": "A problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
}
# Nothing at all where nobody is asked who they are: an open loopback.
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"session": []}, {}]
_SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`wr_...`), or an access token (JWT) of the OpenID provider",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "warroom_session", "description": "After `/login`"},
}
_WITHOUT_LOGIN: Final = ("/healthz", "/readyz")
_WRITTEN_WHOLE = frozenset({"Alert", "AlertDetail", "Moment", "Delivery", "Silence"})


class _Answered(GenerateJsonSchema):
    """Without titles that repeat a name, and without defaults: an answer has a field or has it not."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        found.pop("title", None)
        if schema["cls"].__name__ in _WRITTEN_WHOLE:
            found["required"] = list(found["properties"])
        return found


def shapes() -> dict[str, Any]:
    """The OpenAPI components of all answers, by name."""
    return _shapes()[0]


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The document, changed in place: each answer in JSON with its shape, and errors as they are."""
    found, references = _shapes()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(found)
    for name in _NOT_ANSWERED:
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = _SCHEMES
    document["security"] = _SECURITY
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in _WITHOUT_LOGIN:
                operation["security"] = []
            responses = operation["responses"]
            responses.pop("422", None)
            responses["default"] = _PROBLEM
            if (reference := references.get(f"{method.upper()} {path}")) is not None:
                answer = next(responses[status] for status in responses if status.startswith("2"))
                answer.setdefault("content", {}).setdefault("application/json", {})["schema"] = reference
    return document


def _shapes() -> tuple[dict[str, Any], dict[str, Any]]:
    """The components, and the reference of each call's answer."""
    answers: set[type[BaseModel]] = {*SHAPES.values(), Problem, Snapshot}
    models = sorted(answers, key=lambda model: model.__name__)
    references, found = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REFERENCE, schema_generator=_Answered
    )
    by_call = {call: references[model, "serialization"] for call, model in SHAPES.items()}
    named = json.loads(_GENERIC.sub(_name, json.dumps([found["$defs"], by_call])))
    return named[0], named[1]


def _name(generic: re.Match[str]) -> str:
    return generic[2] + {"Listing": "List"}.get(generic[1], generic[1])
