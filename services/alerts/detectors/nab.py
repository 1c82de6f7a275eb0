"""The detector of one series as the Numenta Anomaly Benchmark drives one: a score for every row."""

from __future__ import annotations

from datetime import UTC, datetime

from services.alerts.series_anomaly import SeriesAnomaly

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Scorer:
    """Scores the rows of one series in order."""

    def __init__(self) -> None:
        self._series = SeriesAnomaly()

    def score(self, timestamp: datetime, value: float) -> float:
        """1 where this row is an alarm, else 0: the series' own bar has decided, and leaves a threshold nothing to
        choose. A `timestamp` without a zone is UTC."""
        zone = timestamp.tzinfo
        moment = timestamp.timestamp() if zone else (timestamp - _EPOCH).total_seconds()
        return 1.0 if self._series.step(moment, value) else 0.0


def make() -> Scorer:
    """A scorer that has seen nothing yet."""
    return Scorer()
