"""From runs to figures: medians, ratios, targets, and the table that is printed."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tests.bench.neighbours import PEERS, WAYS
from tests.bench.sharing import Share, discounted, speed_up

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
"""What each kind of child said, by kind."""

RATIO_TARGET = 0.8
CPU_TARGET = 5.0
MEMORY_TARGET = 600.0
PEER_TARGET = 8.0
SPEED_UP_TARGET = 1.8

OWN_THREADS = {"event loop": "event loop", "python": "Python's other threads", "MergeMutate": "ClickHouse's merges"}
"""All other names are given by ClickHouse, to threads that insert and fill the rollups for the most part."""


class Figure(msgspec.Struct, frozen=True):
    """One line of the table."""

    broker: str
    name: str
    value: float | None
    """None when it could not be taken; `note` says why."""
    unit: str = ""
    target: float | None = None
    at_most: bool = False
    """Whether the target is a most instead of a least."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None or self.value is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def backlog_figures(broker: str, runs: Runs) -> list[Figure]:
    """Bare drain, naive loop and ingest at the backlog of all topics."""

    def of(kind: str, field: str) -> float:
        return median(runs[kind], field)

    names = {"drain": "bare aiokafka drain", "naive": "naive loop", "ingest": "ingest"}
    drained = of("drain", "events_per_second")
    figures = [Figure(broker, name, round(of(kind, "events_per_second")), "events/s") for kind, name in names.items()]
    figures += [
        Figure(broker, "naive loop / drain", round(of("naive", "events_per_second") / drained, 3)),
        Figure(
            broker, "ingest / drain", round(of("ingest", "events_per_second") / drained, 3), "", target=RATIO_TARGET
        ),
    ]
    for kind, name in names.items():
        target = CPU_TARGET if kind == "ingest" else None
        cost = round(of(kind, "cpu_us_per_event"), 2)
        figures.append(Figure(broker, f"CPU of {name}", cost, "us/event", target, at_most=True))
    figures += [
        Figure(broker, f"broker's CPU under {name}", round(of(kind, "broker_cpu_us_per_event"), 2), "us/event")
        for kind, name in names.items()
    ]
    figures += [
        Figure(broker, f"CPU of ingest: {part}", round(cost, 2), "us/event")
        for part, cost in _parts(runs["ingest"]).items()
    ]
    memory = of("ingest", "memory_above_idle_mb")
    figures.append(Figure(broker, "ingest's memory at idle", of("ingest", "memory_idle_mb"), "MB"))
    note = f"idle: {of('ingest', 'memory_idle_mb'):.0f} MB"
    figures.append(
        Figure(broker, "ingest's peak memory above idle", memory, "MB", MEMORY_TARGET, at_most=True, note=note)
    )
    return figures


def broker_figure(broker: str, cost: float) -> Figure:
    """What taking an event from a producer costs the broker."""
    return Figure(broker, "broker's CPU under producers", round(cost, 2), "us/event")


def _parts(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Medians of what ingest's own threads cost, ClickHouse's merges, and the rest of ClickHouse, us an event."""

    def part(thread: str) -> str:
        name = OWN_THREADS.get(thread, "ClickHouse's inserts and rollups")
        return name if name.startswith("ClickHouse") else "its own threads"

    costs = {"its own threads": [0.0] * len(runs), "ClickHouse's inserts and rollups": [0.0] * len(runs)}
    costs["ClickHouse's merges"] = [0.0] * len(runs)
    for at, run in enumerate(runs):
        for thread, cost in run["threads_cpu_us_per_event"].items():
            costs[part(thread)][at] += cost
    return {name: statistics.median(found) for name, found in costs.items()}


def peer_figures(broker: str, runs: Runs, missing: Mapping[str, str]) -> list[Figure]:
    """Ingest and the peers at one topic of traffic; `missing` says why a peer has no runs."""
    ingest = runs["ingest"]
    cost, speed = median(ingest, "cpu_us_per_event"), median(ingest, "events_per_second")
    figures = [
        Figure(broker, "one topic: ingest", round(speed), "events/s"),
        Figure(broker, "one topic: CPU of ingest", round(cost, 2), "us/event"),
    ]
    for peer, name in PEERS.items():
        for way in WAYS:
            found, label = runs.get(f"{peer}-{way}"), f"{name}, {way}"
            if not found:
                figures.append(Figure(broker, f"one topic: {label}", None, note=missing.get(f"{peer}-{way}", "")))
                continue
            its_cost, its_speed = median(found, "cpu_us_per_event"), median(found, "events_per_second")
            target = PEER_TARGET if way == "window" else None
            figures += [
                Figure(broker, f"one topic: {label}", round(its_speed), "events/s"),
                Figure(broker, f"one topic: CPU of {label}", round(its_cost, 2), "us/event"),
                Figure(broker, f"ingest's speed / {label}", round(speed / its_speed, 2), "times", target),
                Figure(broker, f"CPU of {label} / ingest's", round(its_cost / cost, 2), "times", target),
            ]
    return figures


def sharing_figures(broker: str, ones: Sequence[Share], several: Sequence[Share]) -> list[Figure]:
    """One process on a core against several, each on its own."""

    def middle(of: Callable[[Share], float], shares: Iterable[Share]) -> float:
        return statistics.median(map(of, shares))

    count = several[0].cores
    pairs = list(zip(ones, several, strict=True))
    return [
        Figure(broker, "1 process on 1 core", round(middle(lambda each: each.events_per_second, ones)), "events/s"),
        Figure(
            broker,
            f"{count} processes on {count} cores",
            round(middle(lambda each: each.events_per_second, several)),
            "events/s",
        ),
        Figure(
            broker,
            f"broker's CPU under {count} processes",
            round(middle(lambda each: each.broker_cpu_us_per_event, several), 2),
            "us/event",
        ),
        Figure(
            broker,
            f"{count} processes / 1, as it was",
            round(statistics.median(speed_up(*pair) for pair in pairs), 2),
            "times",
        ),
        Figure(
            broker,
            discounted_name(count),
            round(statistics.median(discounted(*pair) for pair in pairs), 2),
            "times",
            SPEED_UP_TARGET,
        ),
    ]


def discounted_name(processes: int) -> str:
    """What the figure with the target is called."""
    return f"{processes} processes / 1, broker discounted"


def time_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where ingest's CPU and time went, from the median run."""
    run = sorted(runs, key=lambda each: float(each["cpu_us_per_event"]))[len(runs) // 2]
    threads: dict[str, float] = {}
    for thread, cost in run["threads_cpu_us_per_event"].items():
        name = OWN_THREADS.get(thread, "ClickHouse, the rest")
        threads[name] = threads.get(name, 0.0) + cost
    waited = run["waited_seconds"].items()
    return [
        "CPU by thread, us/event: "
        + ", ".join(f"{name} {cost:.2f}" for name, cost in sorted(threads.items(), key=lambda item: -item[1])),
        "the event loop in Python: "
        + ", ".join(f"{place} {share:.0%}" for place, share in run["event_loop_shares"].items()),
        f"seconds of {run['seconds']:.1f}, three blocks at a time: "
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in waited),
    ]


def median(runs: Sequence[Mapping[str, Any]], field: str) -> float:
    """The median of a figure over some runs."""
    return statistics.median(float(run[field]) for run in runs)


def table(figures: Sequence[Figure]) -> list[str]:
    """A line a figure, the brokers beside each other where both have it."""
    brokers = list(dict.fromkeys(figure.broker for figure in figures))
    by_name: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        by_name.setdefault(figure.name, {})[figure.broker] = figure
    lines = ["  ".join([f"{'':<42}", *(f"{broker:>24}" for broker in brokers), "target"])]
    for name, found in by_name.items():
        cells = [_cell(found.get(broker)) for broker in brokers]
        lines.append("  ".join([f"{name:<42}", *(f"{cell:>24}" for cell in cells), _verdict(list(found.values()))]))
    return [line.rstrip() for line in lines]


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    return "not to be had" if figure.value is None else f"{figure.value:,} {figure.unit}".strip()


def _verdict(found: Sequence[Figure]) -> str:
    first = found[0]
    notes = "; ".join(dict.fromkeys(figure.note for figure in found if figure.note))
    if first.target is None:
        return notes
    words = {True: "met", False: "NOT met", None: "not taken"}
    verdicts = ", ".join(words[figure.met] for figure in found)
    goal = f"{'at most' if first.at_most else 'at least'} {first.target:g}: {verdicts}"
    return f"{goal} ({notes})" if notes else goal
