"""What documents tell people to type exists: each `warroom` command with its options, and each statement."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from services.cli import warroom
from services.common.store import Store

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("**/*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:^|[\s/(&|;])warroom +(?=[a-z])(.*)")
_ALONE = re.compile(r"^(?:\S*/)?warroom +(?=[a-z])(.*)")


def _commands(text: str) -> Iterator[str]:
    """Everything behind the word `warroom` in blocks of shell and in inline code."""
    lines: list[tuple[re.Pattern[str], str]] = []
    for language, block in _BLOCK.findall(text):
        if language in ("sh", "bash", ""):
            lines += [(_COMMAND, line) for line in block.replace("\\\n", " ").splitlines()]
    lines += [(_ALONE, code) for code in _INLINE.findall(_BLOCK.sub("", text))]
    for pattern, line in lines:
        if found := pattern.search(line.split(" #")[0]):
            yield found[1]


def _trouble(command: str) -> str | None:
    """What of a command line does not exist."""
    words = shlex.split(command.replace("...", " "))
    at: click.Command = warroom
    context = click.Context(warroom)
    while isinstance(at, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        found = at.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]}"
        at = found
        words.pop(0)
    known = {option for parameter in at.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0].rstrip(",;.)]") for word in words if word.startswith("--")}
    unknown = used - known - {"--help"}
    return f"no option {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_command_exists_with_its_options(document: Path) -> None:
    wrong = [
        f"warroom {command}: {trouble}"
        for command in _commands(document.read_text(encoding="utf-8"))
        if (trouble := _trouble(command)) is not None
    ]
    assert wrong == []


def test_the_test_sees_commands_and_what_is_wrong_with_them() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert len(list(_commands(text))) > 10
    assert _trouble("doctor --url http://127.0.0.1:8080 --seconds 5") is None
    assert _trouble("doctor --cure") == "no option --cure"
    assert _trouble("heal") == "no command heal"
    assert _trouble("rules bless FILE") == "no command bless"
    sample = "`.venv/bin/warroom audit --day 2026-11-11` and\n```sh\nX=1 warroom migrate # now\n```"
    assert list(_commands(sample)) == ["migrate", "audit --day 2026-11-11"]


def test_each_statement_of_the_runbooks_is_understood_by_the_engine(store: Store) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    statements = [
        statement.strip()
        for language, block in _BLOCK.findall(text)
        if language == "sql"
        for statement in block.split(";")
        if statement.strip()
    ]
    assert statements
    for statement in statements:
        # Parses and writes anew; raises for what it does not know.
        assert store.query("SELECT formatQuery({sql:String}) AS text", {"sql": statement})[0]["text"]
