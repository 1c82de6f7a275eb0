"""Writes `schemas/http/answers.json`: what the known system answers to each example."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import schemas.http
from schemas.http.document import ANSWERS
from schemas.http.requests import EXAMPLES
from tests.examples.known import ask, known_system

MOST_ITEMS = 2


def shortened(value: Any) -> Any:
    """The same with the first items of each list of objects."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        first = value[:MOST_ITEMS] if value and isinstance(value[0], dict) else value
        return [shortened(item) for item in first]
    return value


def record() -> None:
    """Asks every example in its order."""
    answers = {}
    with tempfile.TemporaryDirectory() as directory, known_system(Path(directory) / "room") as client:
        for call, example in EXAMPLES.items():
            if example.answer is None:
                answer = ask(client, call, example.parameters, example.body)
                assert answer.status_code == example.status, f"{call}: {answer.text}"
                answers[call] = shortened(answer.json()) if example.brief else answer.json()
    place = Path(str(schemas.http.__path__[0])) / ANSWERS
    place.write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
