"""The bench of detectors, small; and the score of NAB against figures worked out by hand."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bench.detectors.measure import DETECTORS, cost, score_figures
from tests.bench.detectors.nab import Series, Told, best_threshold, points, score, worth


def test_every_detector_can_be_timed() -> None:
    """Catches: a hook whose detector wants other arguments."""
    assert all(cost(make(), 200) > 0 for make in DETECTORS.values())


def test_worth_by_hand() -> None:
    """Catches: a window that is off by a row."""
    spans = [(10, 19)]
    assert worth(9, spans) == (-1.0, None)
    assert worth(10, spans) == (1.0, 0)
    last, behind = worth(19, spans), worth(20, spans)
    assert (last[1], behind[1]) == (0, None)
    assert last[0] == pytest.approx((2 / (1 + math.exp(-0.5)) - 1) / 0.9866142981514305)
    assert behind[0] == pytest.approx(2 / (1 + math.exp(5 / 9)) - 1)
    assert worth(47, spans) == (-1.0, None)


def test_points_by_hand() -> None:
    """Catches: a window that counts twice, and a threshold that only suits one series."""
    first = Series([Told(0.9, 1.0, 0), Told(0.8, 0.5, 0), Told(0.5, -1.0, None)], 1)
    second = Series([Told(0.4, 0.6, 0)], 1)
    assert points([first], 0.6) == 100.0
    assert points([first], 0.45) == pytest.approx(100 * (2 - 0.11) / 2)
    assert best_threshold([first]) == 0.9
    assert best_threshold([first, second]) == 0.4
    assert points([first, second], 0.4) == pytest.approx(100 * (2 - 0.11 + 1.6) / 4)


def test_a_corpus_is_read_and_scored(tmp_path: Path) -> None:
    """Catches: labels that do not meet their rows, and a warm-up that counts."""
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def stamp(row: int) -> str:
        return f"{start + timedelta(minutes=5 * row):%Y-%m-%d %H:%M:%S}"

    for name in ("a.csv", "b.csv"):
        (tmp_path / "data").mkdir(exist_ok=True)
        rows = [f"{stamp(i)},{(50 if 1500 <= i < 1510 else 0) + i % 7}" for i in range(2000)]
        (tmp_path / "data" / name).write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    (tmp_path / "labels").mkdir()
    windows = {name: [[stamp(1450) + ".000000", stamp(1649) + ".000000"]] for name in ("a.csv", "b.csv")}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    found = score(tmp_path)
    assert (found.files, found.windows, found.found) == (2, 2, 2)
    assert found.best > 85
    assert [figure.met for figure in score_figures(found)] == [True, None]
