"""Puts the examples into an OpenAPI document."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from schemas.http.requests import EXAMPLES, Example

ANSWERS = "answers.json"


def recorded_answers() -> dict[str, Any]:
    """What the known system answered, by call."""
    text = resources.files("schemas.http").joinpath(ANSWERS).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """The document, changed in place: each operation with an example of its parameters, its body and its answer."""
    answers = recorded_answers()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            call = f"{method.upper()} {path}"
            if (example := EXAMPLES.get(call)) is not None:
                _add(operation, example, answers.get(call, example.answer))
    return document


def _add(operation: dict[str, Any], example: Example, answer: Any) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in example.parameters:
            parameter["example"] = example.parameters[parameter["name"]]
    if example.body is not None:
        content = operation["requestBody"]["content"]["application/json"]
        content.pop("examples", None)
        content["example"] = example.body
    content = operation["responses"][str(example.status)].setdefault("content", {})
    if example.media != "application/json":
        content.pop("application/json", None)
    content.setdefault(example.media, {})["example"] = answer
