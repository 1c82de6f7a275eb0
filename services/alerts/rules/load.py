"""Reads the rules: those that ship with Warroom, or the file or folder that replaces or extends them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from services.alerts.rules.check import Checked, check
from services.alerts.rules.document import MOST_BYTES
from services.alerts.rules.model import Rule
from services.alerts.rules.problem import Problem
from services.common.errors import ConfigurationError

SHIPPED = "services/alerts/rules/default.yaml"
TESTS = ("_test.yaml", "_test.yml")
"""How the files end that hold tests of rules, and no rules."""


def load_rules(path: Path | None) -> list[Rule]:
    """The enabled rules of the file or folder, or of the shipped file without a path.

    Raises `ConfigurationError` that names the place, the rule and the field of everything that is wrong.
    """
    return _enabled(check_path(path))


def parse_rules(text: str, source: str) -> list[Rule]:
    """The enabled rules of a YAML text; `source` names it in errors. Raises `ConfigurationError`."""
    return _enabled(check([(source, text)], shipped()))


def check_path(path: Path | None) -> Checked:
    """The rules of a file, or of all `*.yaml` of a folder together, and what is wrong with them.

    Raises `ConfigurationError` where they cannot be read.
    """
    if path is None:
        return check([shipped()])
    return check(read_texts(path), shipped())


def read_texts(path: Path) -> list[tuple[str, str]]:
    """The files as (name, text). Raises `ConfigurationError`."""
    texts = []
    for file in rule_files(path):
        try:
            with file.open("rb") as stream:
                # One byte more than allowed is enough to know.
                texts.append((str(file), stream.read(MOST_BYTES + 1).decode("utf-8-sig")))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"WARROOM_RULES_FILE: {file} cannot be read: {error}") from error
    return texts


def rule_files(path: Path) -> list[Path]:
    """The file itself, or the YAML files of the folder but for tests, by name. Raises `ConfigurationError`."""
    if not path.is_dir():
        return [path]
    try:
        files = sorted(
            file for file in path.iterdir() if file.suffix in (".yaml", ".yml") and not file.name.endswith(TESTS)
        )
    except OSError as error:
        raise ConfigurationError(f"WARROOM_RULES_FILE: {path} cannot be read: {error}") from error
    if not files:
        raise ConfigurationError(f"WARROOM_RULES_FILE: {path} holds no *.yaml")
    return files


def shipped() -> tuple[str, str]:
    """The rules that ship with Warroom, as (name, text)."""
    return SHIPPED, resources.files("services.alerts.rules").joinpath("default.yaml").read_text(encoding="utf-8")


def refusal(problems: Iterable[Problem]) -> ConfigurationError:
    """All problems in one error, a line each."""
    lines = [str(problem) for problem in problems]
    return ConfigurationError("\n".join(["the rules are refused:", *lines] if len(lines) > 1 else lines))


def _enabled(checked: Checked) -> list[Rule]:
    if checked.problems:
        raise refusal(checked.problems)
    return [rule for rule in checked.rules if rule.enabled]
