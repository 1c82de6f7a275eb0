"""Anomalies of one series, told as its points arrive. `docs/detectors.md` says how and how well."""

from services.alerts.series_anomaly.detector import SeriesAnomaly, Tuning

__all__ = ["SeriesAnomaly", "Tuning"]
