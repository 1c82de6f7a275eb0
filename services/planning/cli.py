"""`warroom plan`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from services.common.settings import EVENT_KINDS
from services.planning.costs import of_bench, shipped
from services.planning.opening import Burst, simulate
from services.planning.report import Openings, as_json, as_text
from services.planning.shape import Shape
from services.planning.sizing import Sizing, size, survivors
from services.planning.workload import CODECS, Workload


@click.command()
@click.option("--orders-peak", type=float, required=True, help="Orders a second at the peak.")
@click.option("--orders-mean", type=float, required=True, help="Orders a second in the mean outside the peak hours.")
@click.option("--events-per-order", type=float, help="Events of all kinds for each order.  [default: the simulator's]")
@click.option("--event-bytes", type=float, help="Size of an event's value.  [default: the simulator's]")
@click.option("--campaigns", type=int, default=1, show_default=True, help="Campaigns at the same time.")
@click.option("--peak-hours", type=float, default=2, show_default=True, help="Hours of a day at the peak.")
@click.option("--retention-days", type=float, default=90, show_default=True, help="Days in ClickHouse.")
@click.option("--kafka-hours", type=float, default=72, show_default=True, help="Hours in Kafka.")
@click.option("--kafka-replicas", type=int, default=3, show_default=True)
@click.option("--kafka-codec", type=click.Choice(CODECS), default="none", show_default=True, help="Of the producers.")
@click.option("--clickhouse-replicas", type=int, default=2, show_default=True)
@click.option("--viewers", type=int, default=100, show_default=True, help="People before a live page.")
@click.option("--rules", type=int, default=20, show_default=True, help="Alert rules.")
@click.option(
    "--zones", type=int, default=3, show_default=True, help="Zones; one may be lost. With 1, one process may."
)
@click.option(
    "--busy", type=float, default=0.6, show_default=True, help="Most that is used at the peak with a zone lost."
)
@click.option("--server-cores", type=int, default=16, show_default=True, help="Most cores of a ClickHouse server.")
@click.option("--broker-gbit", type=float, default=10, show_default=True, help="Network of a broker.")
@click.option("--burst", type=float, default=1.5, show_default=True, help="Top of the opening, in peaks.")
@click.option("--rise", type=float, default=26, show_default=True, help="Seconds of the opening until its top.")
@click.option("--hold", type=float, default=34, show_default=True, help="Seconds at the top.")
@click.option("--half-life", type=float, default=30, show_default=True, help="Seconds in which half of it is gone.")
@click.option("--seconds", type=float, default=300, show_default=True, help="Seconds that are simulated.")
@click.option("--bench", type=click.Path(path_type=Path, dir_okay=False), help="Costs of your own, by `make bench`.")
@click.option("--json", "wants_json", is_flag=True, help="As JSON.")
def plan(
    events_per_order: float | None,
    event_bytes: float | None,
    burst: float,
    rise: float,
    hold: float,
    half_life: float,
    seconds: float,
    bench: Path | None,
    wants_json: bool,
    **numbers: object,
) -> None:
    """What has to stand there for so many orders a second: partitions, processes, cores, memory, disks, network; and a
    simulation of the opening. docs/scale.md explains it and works three examples through."""
    measured = shipped() if bench is None else of_bench(bench)
    costs = measured.costs
    work = Workload(
        events_per_order=costs.events_per_order if events_per_order is None else events_per_order,
        event_bytes=costs.value_bytes if event_bytes is None else event_bytes,
        **numbers,  # type: ignore[arg-type]  # click has made each of its option's type
    )
    shape = Shape(burst, rise, hold, half_life, seconds)
    sizing = size(work, costs)
    openings = _openings(sizing, shape)
    if wants_json:
        click.echo(json.dumps(as_json(sizing, measured, openings), ensure_ascii=False, indent=2))
    else:
        click.echo(as_text(sizing, measured, openings))


def _openings(sizing: Sizing, shape: Shape) -> Openings:
    count = sizing.part("ingest").count
    left = survivors(count, sizing.workload.zones)
    found = {}
    for name, process, processes, burst in (
        ("the peak as planned", sizing.process, count, 1.0),
        ("the same, a zone lost", sizing.process_without, left, 1.0),
        (f"{shape.burst:g} times the peak", sizing.process, count, shape.burst),
        (f"{shape.burst:g} times, a zone lost", sizing.process_without, left, shape.burst),
    ):
        work = sizing.workload
        peak = work.events_peak / processes
        # The process with the most partitions.
        fullest = len(process.lanes) / len(EVENT_KINDS) * processes / sizing.partitions
        arrivals = Burst(
            base=work.events_mean / processes * fullest,
            top=peak * burst * fullest,
            after=peak * fullest,
            begins=min(10.0, shape.seconds / 10),
            rise=shape.rise,
            hold=shape.hold,
            half_life=shape.half_life,
        )
        found[name] = (process, arrivals, simulate(process, arrivals, shape.seconds))
    return found
