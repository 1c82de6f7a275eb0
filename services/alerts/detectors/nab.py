"""The detector of one series as the Numenta Anomaly Benchmark drives one: a score for every row."""

from __future__ import annotations

from datetime import UTC, datetime

from services.alerts.series_anomaly import SeriesAnomaly


class Scorer:
    """Scores the rows of one series in order."""

    def __init__(self) -> None:
        self._series = SeriesAnomaly()

    def score(self, timestamp: datetime, value: float) -> float:
        """How much of an alarm this row is, from 0 to 1. A `timestamp` without a zone is UTC."""
        moment = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
        return self._series.step(moment.timestamp(), value)


def make() -> Scorer:
    """A scorer that has seen nothing yet."""
    return Scorer()
