"""`warroom plan` as people call it, and its document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.scale import DOCUMENT, commands, written
from services.common.errors import ConfigurationError
from services.planning.cli import plan

SHOP = ("--orders-peak", "5", "--orders-mean", "1", "--seconds", "60")


def run(*arguments: str) -> str:
    done = CliRunner().invoke(plan, [*SHOP, *arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_the_document_shows_what_the_command_prints() -> None:
    """Catches: a document that drifted. `python -m scripts.scale` writes it again."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(commands(text)) == 3
    assert written(text) == text


def test_the_json_says_what_the_text_says() -> None:
    """Catches: two outputs that were computed twice and differently."""
    told, text = json.loads(run("--json")), run()
    assert f"5 topics of {told['kafka']['partitions_a_topic']:,} partitions" in text
    for name, value in told["settings"].items():
        assert f"{name}={value}" in text
    for part in told["parts"]:
        (line,) = [line for line in text.splitlines() if line.startswith(part["name"] + "  ")]
        assert f"{part['count']:,}" in line.split()
    assert told["bottleneck"] in text
    assert all(run.split()[0] in text for run in told["costs_of"])
    for reach in told["extrapolation"]:
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {reach['what']}: ")]
        assert ("FAR" in line) is reach["flagged"]
    assert len(told["opening"]) == 4
    assert told["opening"]["the peak as planned"]["recovery_seconds"] == 0


@pytest.mark.parametrize("option", ["--burst", "--rise", "--hold", "--half-life", "--seconds"])
def test_an_opening_that_makes_no_sense_is_refused_by_name(option: str) -> None:
    for value in ("-1", "nan", "1e12"):
        with pytest.raises(ConfigurationError, match=f"^{option} "):
            run(option, value)


def test_a_bench_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--bench"):
        run("--bench", str(tmp_path / "bench.json"))
