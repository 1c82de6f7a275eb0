"""Puts what `warroom plan` prints into docs/scale.md: `python -m scripts.scale`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from services.planning.cli import plan

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
_BLOCK = re.compile(r"(```text\n\$ warroom plan ((?:[^\n]*\\\n)*[^\n]*)\n).*?(```\n)", re.DOTALL)


def written(text: str) -> str:
    """The document with each block that begins with `$ warroom plan` followed by what the command prints today."""
    return _BLOCK.sub(lambda found: found[1] + _printed(found[2]) + found[3], text)


def commands(text: str) -> list[str]:
    """The arguments of each such block."""
    return [found[2] for found in _BLOCK.finditer(text)]


def _printed(arguments: str) -> str:
    done = CliRunner().invoke(plan, shlex.split(arguments.replace("\\\n", " ")))
    if done.exception is not None:
        raise done.exception
    return done.output


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
