"""What a unit of work costs: figures of `make bench`, each by the name that it has there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from services.common.errors import ConfigurationError

BENCH = 'make bench BENCH="--only ingest --only planning --only viewers --only alerts --broker kafka --skip-peers"'
"""Takes every figure that is needed."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a cost comes from: the column and the name of a figure in `bench.json`, and its unit."""

    column: str
    figure: str
    unit: str


@dataclass(frozen=True, slots=True)
class Costs:
    """One machine's costs. CPU is user and system time of all threads, of one core."""

    own_us: float
    insert_us: float
    merge_us: float
    fold_us: float
    block_ms: float
    partition_us: float
    produce_us: float
    consume_us: float
    ingest_idle_mb: float
    ingest_peak_mb: float
    ingest_measured: float
    value_bytes: float
    events_per_order: float
    traffic_share: float
    orders_share: float
    coupons_share: float
    inventory_share: float
    spend_share: float
    log_bytes_none: float
    log_bytes_lz4: float
    log_bytes_zstd: float
    table_bytes: float
    rollup_bytes: float
    rollup_minute_kb: float
    stored_measured: float
    snapshot_us: float
    viewer_kb: float
    snapshot_bytes: float
    campaign_cores: float
    metrics_mb: float
    viewers_measured: float
    look_seconds: float

    @property
    def shares(self) -> dict[str, float]:
        """The share of each kind of event, by kind."""
        return {
            "traffic": self.traffic_share,
            "orders": self.orders_share,
            "coupons": self.coupons_share,
            "inventory": self.inventory_share,
            "spend": self.spend_share,
        }

    @property
    def store_us(self) -> float:
        """CPU of ClickHouse for an event that arrives: insert, rollups, merges."""
        return self.insert_us + self.merge_us


_KAFKA, _OWN, _CORE = "kafka", "planning", "one core"

SOURCES: Mapping[str, Source] = {
    "own_us": Source(_KAFKA, "CPU of ingest: its own threads", "us/event"),
    "insert_us": Source(_KAFKA, "CPU of ingest: ClickHouse's inserts and rollups", "us/event"),
    "merge_us": Source(_KAFKA, "CPU of ingest: ClickHouse's merges", "us/event"),
    "fold_us": Source(_OWN, "CPU of folding", "us/event"),
    "block_ms": Source(_OWN, "CPU of a block, however small", "ms"),
    "partition_us": Source(_OWN, "one partition: CPU of ingest", "us/event"),
    "produce_us": Source(_KAFKA, "broker's CPU under producers", "us/event"),
    "consume_us": Source(_KAFKA, "broker's CPU under ingest", "us/event"),
    "ingest_idle_mb": Source(_KAFKA, "ingest's memory at idle", "MB"),
    "ingest_peak_mb": Source(_KAFKA, "ingest's peak memory above idle", "MB"),
    "ingest_measured": Source(_KAFKA, "ingest", "events/s"),
    "value_bytes": Source(_OWN, "size of an event's value", "B"),
    "events_per_order": Source(_OWN, "events an order created", ""),
    "traffic_share": Source(_OWN, "share of events: traffic", ""),
    "orders_share": Source(_OWN, "share of events: orders", ""),
    "coupons_share": Source(_OWN, "share of events: coupons", ""),
    "inventory_share": Source(_OWN, "share of events: inventory", ""),
    "spend_share": Source(_OWN, "share of events: spend", ""),
    "log_bytes_none": Source(_OWN, "an event in Kafka's log, none", "B"),
    "log_bytes_lz4": Source(_OWN, "an event in Kafka's log, lz4", "B"),
    "log_bytes_zstd": Source(_OWN, "an event in Kafka's log, zstd", "B"),
    "table_bytes": Source(_OWN, "an event in its table, merged", "B"),
    "rollup_bytes": Source(_OWN, "rollups, folds and ledger: an event", "B"),
    "rollup_minute_kb": Source(_OWN, "rollups, folds and ledger: a campaign's minute", "kB"),
    "stored_measured": Source(_OWN, "events on disk, measured", "events"),
    "snapshot_us": Source(_CORE, "a snapshot sent, gzip: CPU", "us"),
    "viewer_kb": Source(_CORE, "a viewer more, gzip: memory", "kB"),
    "snapshot_bytes": Source(_CORE, "a snapshot, gzip: size", "B"),
    "campaign_cores": Source(_CORE, "a campaign with one viewer: CPU", "cores"),
    "metrics_mb": Source(_CORE, "a campaign with one viewer: memory", "MB"),
    "viewers_measured": Source(_CORE, "viewers, measured", ""),
    "look_seconds": Source(_CORE, "1,000 rules x 50 groups, a look: p99", "s"),
}
"""The figure that each field of `Costs` is."""

_MAY_BE_ZERO = {"fold_us", "rollup_bytes", "rollup_minute_kb", "viewer_kb", "spend_share", "merge_us", "block_ms"}
"""Differences of two measurements, which may come out as nothing, and what a shop may not have."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs, and the runs that they were taken in, a line each."""

    costs: Costs
    runs: tuple[str, ...]


def shipped() -> Measured:
    """The costs that ship with Warroom, `services/planning/costs.json`."""
    text = resources.files("services.planning").joinpath("costs.json").read_bytes()
    held = msgspec.json.decode(text)
    return Measured(Costs(**{cost["name"]: float(cost["value"]) for cost in held["costs"]}), tuple(held["runs"]))


def of_bench(path: Path) -> Measured:
    """The costs in a `bench.json` of one's own.

    All of them must be there: costs of two machines do not go together. Raises `ConfigurationError` with what is
    missing and the command that takes it.
    """
    try:
        held = msgspec.json.decode(path.read_bytes())
        found = {(figure["broker"], figure["name"]): figure["value"] for figure in held["figures"]}
        machine = _machine(held["machine"])
    except OSError as error:
        raise ConfigurationError(f"--bench {path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"--bench {path} is no file of `make bench`: {error}") from None
    values: dict[str, float] = {}
    for field in fields(Costs):
        source = SOURCES[field.name]
        value = found.get((source.column, source.figure))
        if value is None:
            raise ConfigurationError(f"--bench {path} lacks {source.figure!r} ({source.column}); take it with: {BENCH}")
        if not _is_cost(field.name, value):
            raise ConfigurationError(
                f"--bench {path}: {source.figure!r} is {value!r}, which nothing costs; take it again"
            )
        values[field.name] = float(value)
    return Measured(Costs(**values), (machine,))


def as_file(measured: Measured) -> bytes:
    """What `costs.json` holds of one run: each cost with its unit, the figure that it is, and that run."""
    costs = [
        {
            "name": name,
            "value": getattr(measured.costs, name),
            "unit": source.unit,
            "column": source.column,
            "figure": source.figure,
            "run": measured.runs[0],
        }
        for name, source in SOURCES.items()
    ]
    return msgspec.json.format(msgspec.json.encode({"runs": measured.runs, "costs": costs}), indent=2) + b"\n"


def _is_cost(name: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return value > 0 or (value == 0 and name in _MAY_BE_ZERO)


def _machine(held: Mapping[str, Any]) -> str:
    load = held["load_average"][0]
    return f"{held['processor']}, {held['cores']} cores, Python {held['python']}, load average {load:.0f} at the end"
