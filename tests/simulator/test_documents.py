"""The page about the simulator must not drift from its kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.simulator.incidents.registry import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_listed_with_its_rule_and_options(name: str) -> None:
    kind = KINDS[name]
    [row] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` | ")
             and line.count("|") == (5 if kind.rule else 4)]  # fmt: skip
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    if kind.rule:
        assert cells.pop(1) == f"`{kind.rule}`"
    told = {word.strip("` ") for word in cells[1].replace("(", ",").replace(")", "").split(",")} - {""}
    assert told == {*kind.options, *kind.by}
