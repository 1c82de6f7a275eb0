"""`warroom simulate` and `warroom replay`."""

from __future__ import annotations

from typing import Any

import click

from services.common.clock import wall_clock
from services.simulator.incidents import demo_incidents, parse_incident
from services.simulator.options import CampaignId, Duration, send, settings_of, shared_options
from services.simulator.source import Source, festival
from services.simulator.timeline import SECOND_MS, Record


@click.command()
@shared_options
@click.option("--campaign-id", type=CampaignId(), default="festival", show_default=True)
@click.option("--events-per-second", type=click.FloatRange(2, 20_000), default=50.0, show_default=True)
@click.option("--history", type=Duration(), default=0.0, help="Past that is sent first, e.g. 1h.")
def simulate(**options: Any) -> None:
    """A synthetic festival from a seed, into Kafka: visits, orders, coupons, stock and ad spend."""
    settings = settings_of(options)
    incidents = [parse_incident(text) for text in options["incident"]]

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


@click.group()
def replay() -> None:
    """Real input, shifted to now and sped up."""


@replay.command("completejourney")
@shared_options
@click.option("--campaign", type=click.IntRange(1), default=18, show_default=True, help="1 to 27; 18 is the busiest.")
@click.option("--campaign-id", help="Default: completejourney- and its number.")
@click.option("--speed", type=click.FloatRange(1), default=2880.0, show_default=True, help="2880: a day in 30 s.")
@click.option("--backfill", type=Duration(), default=900.0, show_default=True, help="Past that is sent at once.")
@click.option("--visits-per-second", type=click.FloatRange(0.1, 5_000), default=8.0, show_default=True)
@click.option("--incidents", "script", type=click.Choice(["none", "demo"]), default="none", show_default=True)
@click.option("--loop/--once", default=True, show_default=True, help="Start again when the campaign is over.")
def completejourney_command(**options: Any) -> None:
    """The Complete Journey: a grocer's real campaign, orders and coupons.

    The data has no visits, stock or ad spend; they are simulated around the orders, and the campaign's note says so.
    """
    from tqdm import tqdm

    from services.simulator.completejourney.data import load_campaign
    from services.simulator.completejourney.replay import completejourney

    settings = settings_of(options)
    incidents = [parse_incident(text) for text in options["incident"]]
    if options["script"] == "demo":
        incidents += demo_incidents()
    data = load_campaign(options["campaign"])

    def make(now_ms: int) -> Source:
        return completejourney(
            data,
            now_ms=now_ms,
            campaign_id=options["campaign_id"],
            seed=options["seed"],
            speed=options["speed"],
            backfill_seconds=options["backfill"],
            currency=settings.reporting_currency,
            visits_per_second=options["visits_per_second"],
            incidents=incidents,
            loop=options["loop"],
        )

    make(wall_clock())
    total = len(data.baskets)
    # None: no bar where nobody looks at a terminal.
    with tqdm(total=total, unit="order", desc=f"campaign {data.number}", disable=None) as bar:

        def show(records: list[Record]) -> None:
            paid = sum(record.kind == "orders" and b'"order_paid"' in record.value for record in records)
            if bar.n + paid > total:
                bar.reset()
            bar.update(paid)

        sent = send(make, settings, options, show)
    click.echo(f"{sent} records sent", err=True)
