"""What `warroom simulate` and `warroom replay` share on the command line."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from services.common.access.client import credentials
from services.common.clock import to_ms, wall_clock
from services.common.errors import ConfigurationError
from services.common.logs import configure_logs
from services.common.settings import Settings, load_settings
from services.simulator.publisher import Publisher
from services.simulator.runner import Delivery, deliver
from services.simulator.source import Source
from services.simulator.timeline import Record

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[float]):
    """Seconds as a number, or with a unit: `90`, `90s`, `15m`, `1.5h`, `2d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The duration in seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no duration; write 90, 15m, 1h or 2d", param, ctx)
        return float(Decimal(match[1]) * _UNITS[match[2]])


class Moment(click.ParamType[int]):
    """A moment in RFC 3339, as epoch milliseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The moment in epoch milliseconds."""
        if isinstance(value, int):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.fail(f"{value!r} is no time with an offset, such as 2026-11-10T20:00:00+08:00", param, ctx)
        return to_ms(moment)


class CampaignId(click.ParamType[str]):
    """A campaign's id as the contract has it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id itself."""
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", str(value)):
            self.fail(f"{value!r} is no id; 1 to 64 of A-Z a-z 0-9 _ . -", param, ctx)
        return str(value)


_SHARED = (
    click.option("--bootstrap-servers", help="Kafka; else WARROOM_KAFKA_BOOTSTRAP_SERVERS."),
    click.option("--topic-prefix", help="Prefix of the topics; else WARROOM_TOPIC_PREFIX, else `campaign.`."),
    click.option("--api", default="http://127.0.0.1:8080", show_default=True, help="Where campaigns are PUT."),
    click.option("--no-campaign", is_flag=True, help="Tells the API nothing."),
    click.option("--seed", default=1, show_default=True, help="Same seed and start, same events."),
    click.option("--currency", help="ISO 4217; else WARROOM_REPORTING_CURRENCY, else CNY."),
    click.option(
        "--incident",
        multiple=True,
        metavar="TYPE@OFFSET[:SECONDS][:key=value]...",
        help="An incident, e.g. spike, stock_out, refund_burst or silence; docs/simulator.md lists them all with their "
        "options. The offset counts live seconds. Repeatable.",
    ),
    click.option("--ground-truth", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines of incidents."),
    click.option("--duplicates", type=click.FloatRange(0, 1), default=0.0, help="Share of events sent twice."),
    click.option("--disorder", type=Duration(), default=0.0, help="Events arrive late by up to this."),
    click.option("--duration", type=Duration(), help="Length of the live part; 0 for none. Default: endless."),
)  # fmt: skip


def shared_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that both commands know."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def settings_of(options: dict[str, Any]) -> Settings:
    """Settings from the environment and the command line. Raises `ConfigurationError`."""
    settings = load_settings(
        kafka_bootstrap_servers=options["bootstrap_servers"],
        topic_prefix=options["topic_prefix"],
        reporting_currency=options["currency"],
    )
    if settings.kafka_bootstrap_servers is None:
        raise ConfigurationError("name a Kafka: --bootstrap-servers or WARROOM_KAFKA_BOOTSTRAP_SERVERS")
    configure_logs(settings.log_level)
    return settings


def send(
    make_source: Callable[[int], Source],
    settings: Settings,
    options: dict[str, Any],
    on_sent: Callable[[list[Record]], None] = lambda _: None,
) -> int:
    """Builds the source for the moment at which Kafka is ready, and sends it until a signal or its end.

    Returns how many records were sent. SIGTERM and SIGINT end it in order.
    """
    delivery = Delivery(
        api=None if options["no_campaign"] else options["api"],
        live_seconds=options["duration"],
        ground_truth=options["ground_truth"],
        duplicates=options["duplicates"],
        disorder_seconds=options["disorder"],
        seed=options["seed"],
        headers=credentials(settings),
    )

    async def work() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        publisher = Publisher(settings, stop)
        try:
            await publisher.start()
            if stop.is_set():
                return 0
            source = make_source(wall_clock())
            return await deliver(source, publisher, delivery, clock=wall_clock, stop=stop, on_sent=on_sent)
        finally:
            await publisher.close()

    return asyncio.run(work())
