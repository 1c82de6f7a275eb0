"""The benchmark of the page, small: nothing here looks at a speed."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from tests.bench.page.looks import weights
from tests.bench.page.measure import figures


def told(**changed: Any) -> dict[str, Any]:
    """What a run found."""
    return {
        "files": [{"name": "assets/a.js", "plain": 900_000, "gzip": 300_000}],
        "opened": [{"paint": seconds, "number": seconds + 1} for seconds in (0.2, 9.0, 0.4)],
        "frames": {"1920x1080": {"per_second": 59.6, "long_tasks": 0, "longest_ms": 0}},
        "memory": [
            {"heap": 8_000_000, "nodes": 900, "listeners": 40},
            {"heap": 9_900_000, "nodes": 950, "listeners": 40},
            {"heap": 8_100_000, "nodes": 900, "listeners": 40},
        ],
        **changed,
    }


def test_a_leak_is_told_and_what_comes_and_goes_is_none() -> None:
    """Catches: a growth taken from the peak, or from the first paint, and a least taken for a most."""
    met = {figure.name: figure.met for figure in figures(told())}
    assert met["growth in an hour"] is True
    assert met["nodes more after an hour"] is True
    leaking = [{"heap": 8_000_000, "nodes": 900, "listeners": 40}, {"heap": 9_100_000, "nodes": 901, "listeners": 41}]
    met = {figure.name: figure.met for figure in figures(told(memory=leaking))}
    assert [name for name, each in met.items() if each is False] == [
        "growth in an hour",
        "nodes more after an hour",
        "listeners more after an hour",
    ]


def test_the_median_opening_counts() -> None:
    """Catches: one slow start that decides, or the best that does."""
    values = {figure.name: figure.value for figure in figures(told())}
    assert (values["first paint"], values["first number"]) == (0.4, 1.4)


def test_every_file_is_weighed(tmp_path: Path) -> None:
    """Catches: a folder left out."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(b"<html>")
    (tmp_path / "assets" / "a.js").write_bytes(b"x" * 1000)
    found = {weight.name: (weight.plain, weight.gzip) for weight in weights(tmp_path)}
    assert found == {
        "index.html": (6, len(gzip.compress(b"<html>"))),
        "assets/a.js": (1000, len(gzip.compress(b"x" * 1000))),
    }
