"""Reads files of rule tests, and the rules that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.alerts.rules.check import Checked, check
from services.alerts.rules.document import Document, read_yaml
from services.alerts.rules.load import read_texts, shipped
from services.alerts.rules.model import Rule
from services.alerts.rules.problem import Problem
from services.alerts.ruletest.model import RuleTestFile

SHIPPED = "default"


def read_tests(path: Path) -> tuple[RuleTestFile | None, list[Problem]]:
    """The file, or what is wrong with it. Raises `ConfigurationError` where it cannot be read."""
    ((source, text),) = read_texts(path)
    document = read_yaml(text, source)
    if document.problems:
        return None, document.problems
    try:
        return RuleTestFile.model_validate(document.data), []
    except ValidationError as error:
        return None, [_problem(document, source, detail) for detail in error.errors()]


def rules_of(file: RuleTestFile, folder: Path) -> tuple[list[Rule], list[Problem]]:
    """The rules that the tests are about, or what is wrong with them. Raises `ConfigurationError`."""
    texts = [
        text for name in file.rule_files for text in ([shipped()] if name == SHIPPED else read_texts(folder / name))
    ]
    checked: Checked = check(texts, shipped())
    return [rule for rule in checked.rules if rule.enabled], checked.problems


def _problem(document: Document, source: str, detail: Any) -> Problem:
    steps = [*detail["loc"], *([detail["ctx"]["key"]] if detail["type"] == "series" else [])]
    message = str(detail["msg"])
    written = list(steps)
    while written and tuple(written) not in document.values:
        written.pop()
    place = document.values.get(tuple(written))
    line, column = (place.line, place.column) if place is not None else (1, 1)
    return Problem(source, line, column, message.removeprefix("Value error, "), "", ".".join(map(str, steps)))
