"""`SECURITY.md` promises nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _promises() -> list[tuple[str, list[str]]]:
    """Each promise of the table, and the tests named beside it, as `path` or `path::test`."""
    section = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split("## Promises")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [(cells[0], re.findall(r"`(tests/[^`]+)`", cells[-1])) for cells in rows[2:]]


def test_each_promise_names_a_test_that_exists() -> None:
    promises = _promises()
    assert promises
    for promise, tests in promises:
        assert tests, f"nothing holds: {promise}"
        for named in tests:
            path, _, name = named.partition("::")
            assert (ROOT / path).exists(), f"{promise}: {path}"
            if name:
                assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{promise}: {named}"
