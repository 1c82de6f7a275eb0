"""`warroom simulate` and `warroom replay`."""

from __future__ import annotations

from typing import Any

import click

from services.common.clock import wall_clock
from services.simulator.day.festival import DayFestival, festival_source, year_before
from services.simulator.day.told import plan_lines
from services.simulator.incidents import demo_incidents, parse_incident
from services.simulator.options import CampaignId, Duration, Moment, send, settings_of, shared_options
from services.simulator.source import Source, festival
from services.simulator.timeline import SECOND_MS, Record

_YEARS_GROWTH = 0.8
"""What the year before had of this year's events."""


@click.command()
@shared_options
@click.option("--campaign-id", type=CampaignId(), default="festival", show_default=True)
@click.option("--events-per-second", type=click.FloatRange(2, 20_000), default=50.0, show_default=True)
@click.option("--history", type=Duration(), default=0.0, help="Past that is sent first, e.g. 1h.")
@click.option(
    "--variant",
    type=click.Choice(["calm", "flash", "full"]),
    help="A festival with a daily curve: calm has nothing unusual, flash has planned sales, full has incidents planned "
    "from the seed as well. --incident takes the place of these, and counts from the start. Default: a flat festival.",
)
@click.option("--hours", type=click.FloatRange(3, 72), default=24.0, show_default=True, help="With --variant.")
@click.option(
    "--density",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="With --variant full: times the 21 incidents and decoys a day, each kind once at the most.",
)
@click.option("--start", type=Moment(), help="With --variant: when it starts. Default: now less the history.")
@click.option("--baseline", is_flag=True, help="With --variant: first sends the year before, to compare with.")
@click.option("--plan", is_flag=True, help="With --variant: prints what is planned as JSON Lines and sends nothing.")
def simulate(**options: Any) -> None:
    """A synthetic festival from a seed, into Kafka: visits, orders, coupons, stock and ad spend."""
    if options["variant"] is not None:
        _simulate_day(options)
        return
    if options["plan"] or options["baseline"] or options["start"] is not None:
        raise click.UsageError("--plan, --baseline and --start go with --variant")
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
            topic_prefix=settings.topic_prefix,
        )

    # What is wrong with an incident shows before anything is waited for.
    make(wall_clock())
    click.echo(f"{send(make, settings, options)} records sent", err=True)


def _simulate_day(options: dict[str, Any]) -> None:
    given = [parse_incident(text) for text in options["incident"]]
    before_id = f"{options['campaign_id']}-before" if options["baseline"] else None

    def make(now_ms: int, topic_prefix: str = "campaign.", currency: str = "CNY") -> DayFestival:
        start_ms = options["start"]
        return festival_source(
            seed=options["seed"],
            start_ms=now_ms - round(options["history"] * SECOND_MS) if start_ms is None else start_ms,
            hours=options["hours"],
            variant=options["variant"],
            events_per_second=options["events_per_second"],
            campaign_id=options["campaign_id"],
            baseline_campaign_id=before_id,
            incidents=given or None,
            density=options["density"],
            topic_prefix=topic_prefix,
            currency=currency,
        )

    planned = make(wall_clock())
    if options["plan"]:
        for line in plan_lines(planned):
            click.echo(line)
        return
    settings = settings_of(options)
    if before_id is not None:

        def make_before(_: int) -> Source:
            return year_before(
                seed=options["seed"],
                start_ms=planned.programme.start_ms,
                hours=options["hours"],
                events_per_second=options["events_per_second"] * _YEARS_GROWTH,
                campaign_id=before_id,
                variant="calm" if options["variant"] == "calm" else "flash",
                currency=settings.reporting_currency,
            ).source

        send(make_before, settings, {**options, "duration": 0.0, "ground_truth": None})
    sent = send(
        lambda now_ms: make(now_ms, settings.topic_prefix, settings.reporting_currency).source, settings, options
    )
    click.echo(f"{sent} records sent", err=True)


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
