"""Holds what a server answers against what its OpenAPI document says of the call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

MOST_ROWS = 20
"""So many rows of a table are judged: the next ones are made by the same code."""

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Shapes:
    """The answers of a document. Stricter than the document: a field that it does not name is a fault."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        closed = {name: _closed(schema) for name, schema in document["components"]["schemas"].items()}
        self._resolving = {"components": {"schemas": closed}}
        self._calls = [
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), operation["responses"])
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]

    def faults(self, answer: httpx.Response) -> list[str]:
        """Where the answer, which was read, is other than the document says; empty where it says nothing of it."""
        media = answer.headers.get("content-type", "").split(";")[0]
        responses = self._responses(answer.request.method, _path(answer))
        if responses is None or not media.endswith("json"):
            return []
        told = responses.get(str(answer.status_code)) or responses.get("default")
        if told is None or media not in told["content"]:
            return [f"{_path(answer)}: {answer.status_code} {media} is not told of"]
        return [
            f"{_path(answer)}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in self.judge(told["content"][media].get("schema", {}), _shortened(answer.json()))
        ]

    def _responses(self, asked: str, path: str) -> Mapping[str, Any] | None:
        return next((told for method, known, told in self._calls if method == asked and known.match(path)), None)

    def judge(self, schema: Mapping[str, Any], value: Any) -> list[Any]:
        """What jsonschema finds."""
        validator = Draft202012Validator({**self._resolving, **schema}, format_checker=_FORMATS)
        return list(validator.iter_errors(value))

    def component(self, name: str, value: Any) -> list[str]:
        """The faults of a value that should be of that component."""
        found = self.judge({"$ref": f"#/components/schemas/{name}"}, _shortened(value))
        return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in found]


def judged(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """The client, whose every answer is from now on held against the document of the server that it asks."""
    known: list[Shapes] = []

    async def hold(answer: httpx.Response) -> None:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return
        await answer.aread()
        if not known and answer.request.url.path != "/openapi.json":
            known.append(Shapes((await client.get("/openapi.json")).json()))
        if known and (faults := known[0].faults(answer)):
            raise AssertionError("\n".join(faults))

    client.event_hooks = {**client.event_hooks, "response": [*client.event_hooks["response"], hold]}
    return client


def _path(answer: httpx.Response) -> str:
    return answer.request.url.path


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items() if name not in ("example", "examples")}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: part[:MOST_ROWS] if name == "rows" and isinstance(part, list) else _shortened(part)
            for name, part in value.items()
        }
    return value
