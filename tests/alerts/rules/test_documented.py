"""The examples of docs/rules.md do what the page says."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from schemas.documents import ROOT
from services.alerts.rules.cli import rules


def test_the_examples_are_right_and_pass(tmp_path: Path) -> None:
    blocks = (ROOT / "docs/rules.md").read_text(encoding="utf-8").split("```yaml\n")[1:]
    example, test = (block.split("```")[0] for block in blocks)
    (tmp_path / "rules.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "rules_test.yaml").write_text(test, encoding="utf-8")
    checked = CliRunner().invoke(rules, ["check", str(tmp_path)])
    assert (checked.exit_code, "all right" in checked.output) == (0, True), checked.output
    tested = CliRunner().invoke(rules, ["test", str(tmp_path / "rules_test.yaml")])
    assert tested.output == "1 passed, 0 failed\n"
