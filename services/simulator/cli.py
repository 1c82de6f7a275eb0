"""`warroom simulate` and `warroom replay`."""

from __future__ import annotations

from typing import Any

import click

from services.common.clock import wall_clock
from services.simulator.incidents import parse_incident
from services.simulator.options import Duration, send, settings_of, shared_options
from services.simulator.source import Source, festival
from services.simulator.timeline import SECOND_MS


@click.command()
@shared_options
@click.option("--campaign-id", default="festival", show_default=True)
@click.option("--events-per-second", type=click.FloatRange(2, 20_000), default=50.0, show_default=True)
@click.option("--history", type=Duration(), default=0.0, help="Past that is sent first, e.g. 1h.")
@click.option(
    "--incident",
    "incidents",
    multiple=True,
    metavar="TYPE@OFFSET[:SECONDS][:key=value]...",
    help="spike (channel, factor), stock_out (item), refund_burst (item, count) or silence; the offset "
    "counts live seconds. Repeatable.",
)
def simulate(**options: Any) -> None:
    """A synthetic festival from a seed, into Kafka: visits, orders, coupons, stock and ad spend."""
    settings = settings_of(options)
    incidents = [parse_incident(text) for text in options["incidents"]]

    def make(now_ms: int) -> Source:
        return festival(
            seed=options["seed"],
            start_ms=now_ms - round(options["history"] * SECOND_MS),
            campaign_id=options["campaign_id"],
            events_per_second=options["events_per_second"],
            incidents=incidents,
            currency=settings.reporting_currency,
        )

    # What is wrong with an incident shows before anything is waited for.
    make(wall_clock())
    click.echo(f"{send(make, settings, options)} records sent", err=True)
