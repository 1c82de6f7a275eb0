"""The examples of /openapi.json are true: each is sent to a running system with known events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
from pydantic import BaseModel

from schemas.alerts import AlertDetail, Silence
from schemas.http.requests import EXAMPLES, Example
from schemas.http.shapes.rehearsals import Scorecard
from tests.examples.known import ask

AGAIN = "say `python -m tests.examples.record` if this is as it should be"

_BY_ID: dict[str, type[BaseModel]] = {"{alert_id}": AlertDetail, "{silence_id}": Silence, "{name}": Scorecard}

# Moments of the asking and names that a run gives.
MOVING = {
    "as_of", "watermark", "watermarks", "complete_until", "received_at", "id", "starts_at", "ends_at", "created_at",
    "audited_at", "redriven_at",
}  # fmt: skip


def test_every_call_has_an_example_and_it_is_true(client: httpx.Client) -> None:
    """Catches: a path without an example, an example of what is no longer so. In the order of the examples: what is
    declared first is read later."""
    document = client.get("/openapi.json").json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert operations.keys() == EXAMPLES.keys(), "schemas/http/requests.py needs an example of each call"
    wrong = []
    for call, example in EXAMPLES.items():
        wrong += [f"{call}: {found}" for found in _judge(client, call, operations[call], example)]
    assert not wrong, "\n".join([*wrong, AGAIN])


def _judge(client: httpx.Client, call: str, operation: dict[str, Any], example: Example) -> Iterator[str]:
    given = {each["name"]: each["example"] for each in operation.get("parameters", []) if "example" in each}
    if set(given) != set(example.parameters):
        yield f"parameters {set(given) ^ set(example.parameters)} are not there"
    body = operation["requestBody"]["content"]["application/json"]["example"] if example.body is not None else None
    content = operation["responses"][str(example.status)]["content"]
    shown = content[example.media]["example"]
    if example.media == "text/event-stream":
        yield from _stream(client, call, given, shown)
        return
    answer = ask(client, call, given, body)
    if "{alert_id}" in call or "{silence_id}" in call or "{name}" in call:
        # None is known of that id: the call is understood, and the example is one of its answers.
        if (answer.status_code, answer.json()["title"]) != (404, "Not found"):
            yield f"{answer.status_code} {answer.text}"
        if example.media == "application/json":
            answers: dict[str, type[BaseModel]] = {
                "{alert_id}": AlertDetail,
                "{silence_id}": Silence,
                "{name}": Scorecard,
            }
            next(model for place, model in answers.items() if place in call).model_validate(shown)
        return
    if answer.status_code != example.status:
        yield f"{answer.status_code} {answer.text}"
        return
    if not answer.headers["content-type"].startswith(example.media):
        yield f"is {answer.headers['content-type']}"
    if example.media == "text/plain":
        if shown.strip() not in answer.text.splitlines():
            yield "holds no such line"
        return
    yield from _differences(shown, answer.json(), "", fixed=example.fixed)


def _differences(shown: Any, said: Any, where: str, *, fixed: bool) -> Iterator[str]:
    """Where two answers differ: in shape, and in value where it is fixed. An empty list has any shape of items."""
    if isinstance(shown, dict) and isinstance(said, dict):
        if shown.keys() != said.keys():
            yield f"{where or 'it'} has other fields: {shown.keys() ^ said.keys()}"
        for name in shown.keys() & said.keys():
            yield from _differences(shown[name], said[name], f"{where}.{name}", fixed=fixed and name not in MOVING)
    elif isinstance(shown, list) and isinstance(said, list):
        if fixed and len(shown) != len(said):
            yield f"{where} has {len(said)} items"
        for number, pair in enumerate(zip(shown, said, strict=False)):
            yield from _differences(*pair, f"{where}[{number}]", fixed=fixed)
    elif fixed and shown != said:
        yield f"{where} is {said!r} and not {shown!r}"
    elif None not in (shown, said) and not (
        type(shown) is type(said) or (isinstance(shown, int | float) and isinstance(said, int | float))
    ):
        yield f"{where} is {said!r}, another kind than {shown!r}"


def _stream(client: httpx.Client, call: str, given: dict[str, Any], shown: str) -> Iterator[str]:
    path = call.partition(" ")[2].format(**given)
    with client.stream("GET", path, headers={"Last-Event-ID": given["last-event-id"]}) as answer:
        if not answer.headers["content-type"].startswith("text/event-stream"):
            yield f"is {answer.headers['content-type']}"
        text = ""
        for piece in answer.iter_text():
            text += piece
            if text.endswith("\n\n") and "event: snapshot" in text:
                break
    example, said = _snapshot(shown), _snapshot(text)
    if not text.startswith("retry: 1000\n\n"):
        yield "begins otherwise"
    if len(example["id"].split("-")) != len(said["id"].split("-")):
        yield f"has the id {said['id']}"
    if not json.loads(example["data"]).keys() <= json.loads(said["data"]).keys():
        yield "tells other things"


def _snapshot(text: str) -> dict[str, str]:
    event = next(part for part in text.split("\n\n") if part.startswith("event: snapshot"))
    return dict(line.split(": ", 1) for line in event.splitlines())
