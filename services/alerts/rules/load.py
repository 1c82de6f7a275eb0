"""Reads the rules: those that ship with Warroom, or the file that replaces them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.alerts.rules.model import Rule, RuleFile
from services.common.errors import ConfigurationError


def load_rules(path: Path | None) -> list[Rule]:
    """The enabled rules of the file, or of the shipped one without a path.

    Raises `ConfigurationError` that names the file, the rule and the field.
    """
    if path is None:
        source = "services/alerts/rules/default.yaml"
        text = resources.files("services.alerts.rules").joinpath("default.yaml").read_text(encoding="utf-8")
    else:
        source = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"WARROOM_RULES_FILE: {source} cannot be read: {error}") from error
    return parse_rules(text, source)


def parse_rules(text: str, source: str) -> list[Rule]:
    """The enabled rules of a YAML text; `source` names it in errors. Raises `ConfigurationError`."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source} is no YAML: {error}") from error
    try:
        return [rule for rule in RuleFile.model_validate(data).rules if rule.enabled]
    except ValidationError as error:
        raise ConfigurationError(
            "; ".join(f"{source}: {_sentence(detail, data)}" for detail in error.errors())
        ) from None


def _sentence(detail: Any, data: Any) -> str:
    where = list(detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    if len(where) >= 2 and where[0] == "rules" and isinstance(where[1], int):
        entry = data["rules"][where[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        rule = f"rule {name!r}" if name else f"rule number {where[1] + 1}"
        field = ".".join(str(part) for part in where[2:])
        return f"{rule}: {field}: {message}" if field else f"{rule}: {message}"
    return f"{'.'.join(str(part) for part in where)}: {message}" if where else message
