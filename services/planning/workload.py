"""What is to be carried, and with how much to spare."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from services.common.errors import ConfigurationError

CODECS = ("none", "lz4", "zstd")


@dataclass(frozen=True, slots=True)
class _Range:
    least: float
    most: float
    meaning: str
    whole: bool = False


RANGES: dict[str, _Range] = {
    "orders_peak": _Range(0.001, 10_000_000, "orders a second at the peak"),
    "orders_mean": _Range(0, 10_000_000, "orders a second in the mean outside the peak hours"),
    "events_per_order": _Range(1, 10_000, "events of all kinds for each order"),
    "event_bytes": _Range(50, 100_000, "bytes of an event's value"),
    "campaigns": _Range(1, 10_000, "campaigns at the same time", whole=True),
    "peak_hours": _Range(0, 24, "hours of a day at the peak"),
    "retention_days": _Range(1, 3_650, "days that events stay in ClickHouse"),
    "kafka_hours": _Range(1, 24 * 365, "hours that events stay in Kafka"),
    "kafka_replicas": _Range(1, 5, "copies in Kafka", whole=True),
    "clickhouse_replicas": _Range(1, 5, "copies in ClickHouse", whole=True),
    "viewers": _Range(0, 10_000_000, "people before a live page", whole=True),
    "rules": _Range(1, 10_000, "alert rules", whole=True),
    "zones": _Range(1, 10, "zones that it is spread over", whole=True),
    "busy": _Range(0.1, 0.95, "share of a core, a link or a disk that may be used at the peak"),
    "server_cores": _Range(2, 256, "most cores of a ClickHouse server", whole=True),
    "broker_gbit": _Range(0.1, 400, "gigabits a second of a broker's network"),
}
"""What each number may be. Beyond it nobody means it."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Raises `ConfigurationError`, naming the option at fault, for what makes no sense."""

    orders_peak: float
    orders_mean: float
    events_per_order: float
    event_bytes: float
    campaigns: int = 1
    peak_hours: float = 2
    retention_days: float = 90
    kafka_hours: float = 72
    kafka_replicas: int = 3
    kafka_codec: str = "none"
    clickhouse_replicas: int = 2
    viewers: int = 100
    rules: int = 20
    zones: int = 3
    busy: float = 0.6
    server_cores: int = 16
    broker_gbit: float = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            allowed = RANGES.get(field.name)
            if allowed is None:
                continue
            value, option = getattr(self, field.name), option_of(field.name)
            if not math.isfinite(value) or not allowed.least <= value <= allowed.most:
                raise ConfigurationError(
                    f"{option} is {value:g}: {allowed.meaning} must be {allowed.least:g} to {allowed.most:g}"
                )
            if allowed.whole and value != int(value):
                raise ConfigurationError(f"{option} is {value:g}: {allowed.meaning} must be a whole number")
        if self.orders_mean > self.orders_peak:
            raise ConfigurationError(
                f"--orders-mean {self.orders_mean:g} is above --orders-peak {self.orders_peak:g}; exchange them"
            )
        if self.kafka_codec not in CODECS:
            raise ConfigurationError(f"--kafka-codec is {self.kafka_codec!r}: choose one of {', '.join(CODECS)}")

    @property
    def events_peak(self) -> float:
        """Events a second at the peak."""
        return self.orders_peak * self.events_per_order

    @property
    def events_mean(self) -> float:
        """Events a second outside the peak hours."""
        return self.orders_mean * self.events_per_order

    @property
    def events_a_day(self) -> float:
        """Events of a day that has its hours of peak."""
        return self.events_within(24)

    def events_within(self, hours: float) -> float:
        """The most events that any so many hours hold: each day's peak counts first."""
        days, rest = divmod(hours, 24)
        at_peak = days * self.peak_hours + min(rest, self.peak_hours)
        return 3600 * (at_peak * self.events_peak + (hours - at_peak) * self.events_mean)


def option_of(field: str) -> str:
    """The command's option for a field."""
    return "--" + field.replace("_", "-")
