"""The OpenAPI document in the repository, from which the page's types are made."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from schemas.documents import ROOT
from schemas.http.parameters import TEXTS
from services.standalone.document import PATH, openapi_document, openapi_text

DOCUMENT: dict[str, Any] = json.loads((ROOT / PATH).read_text(encoding="utf-8"))


def test_the_document_is_fresh_and_sound() -> None:
    assert (ROOT / PATH).read_text(encoding="utf-8") == openapi_text(), "run `make generate`"
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere() -> None:
    found = _references({**DOCUMENT, "example": None})
    assert len(found) > 50
    for reference in found:
        target: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target


def test_every_call_says_how_it_fails() -> None:
    """Catches: FastAPI's own form of an error, which no call of ours answers."""
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for child in node.values() for ref in _references(child)]
    if isinstance(node, list):
        return [ref for child in node for ref in _references(child)]
    return []


def test_what_a_parameter_may_be_is_told_of_those_there_are() -> None:
    """A parameter that was renamed would be any text again; and none is `null`, which no query can say."""
    parameters = [
        parameter
        for operations in openapi_document()["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
    ]
    assert TEXTS.keys() <= {parameter["name"] for parameter in parameters}
    assert not [parameter for parameter in parameters if {"type": "null"} in parameter["schema"].get("anyOf", [])]
