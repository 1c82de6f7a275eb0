"""`warroom standalone` and `warroom demo`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

# Nothing heavy is imported up here: the signals have to be ours before that.

_Command = TypeVar("_Command", bound=Callable[..., None])

_PORT = click.IntRange(1, 65535)


def _place_options(default_dir: str) -> Callable[[_Command], _Command]:
    def decorate(command: _Command) -> _Command:
        options = (
            click.option(
                "--data-dir",
                type=click.Path(file_okay=False, path_type=Path),
                default=default_dir,
                show_default=True,
                help="Holds all state; created if absent.",
            ),
            click.option("--http-port", type=_PORT, default=8080, show_default=True, help="Port of API and page."),
            click.option(
                "--kafka-port",
                type=_PORT,
                default=19092,
                show_default=True,
                help="Port of the embedded broker, on 127.0.0.1.",
            ),
            click.option("--host", default=None, help="Address for HTTP.  [default: WARROOM_HTTP_HOST]"),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.command()
@_place_options(".warroom/standalone")
def standalone(data_dir: Path, http_port: int, kafka_port: int, host: str | None) -> None:
    """Runs the whole system in one process: broker, store, ingest, metrics, alerts and page on one port.

    Where WARROOM_KAFKA_BOOTSTRAP_SERVERS or WARROOM_CLICKHOUSE_URL name a server, that one is used.
    """
    from services.standalone.stopping import StopRequest

    stop = StopRequest()
    stop.install()

    import uvloop

    from services.common.logs import configure_logs
    from services.common.tracing import start_tracing
    from services.standalone.system import Place, System

    system = System(Place(data_dir, http_port, kafka_port, host), stop)
    configure_logs(system.settings.log_level)
    start_tracing(system.settings, "standalone")
    uvloop.run(system.run())


@click.command()
@_place_options(".warroom/demo")
def demo(data_dir: Path, http_port: int, kafka_port: int, host: str | None) -> None:
    """Runs `standalone` and replays real input into it, with incidents; Ctrl-C stops everything.

    The log goes to a file in the data directory.
    """
    from services.standalone.stopping import StopRequest

    stop = StopRequest()
    stop.install()
    click.echo("Warroom starts: broker, store, topics, services ...")

    import uvloop

    from services.common.logs import configure_logs
    from services.common.tracing import start_tracing
    from services.standalone.demo import DEMO_SETTINGS, DemoInput, replay_command
    from services.standalone.system import Place, System

    system = System(Place(data_dir, http_port, kafka_port, host), stop, DEMO_SETTINGS)
    log = data_dir.resolve() / "warroom.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as stream:
        configure_logs(system.settings.log_level, stream)
        start_tracing(system.settings, "demo")
        banner = "\n".join(
            (
                "",
                "  Warroom is ready.",
                "",
                f"    Dashboard   {system.base_url}/",
                f"    API         {system.base_url}/openapi.json",
                f"    Kafka       {system.settings.kafka_bootstrap_servers}",
                f"    Data, log   {log.parent}",
                "",
                "  Real orders and coupons are replayed from now on. Ctrl-C stops everything.",
                "",
            )
        )
        command = partial(replay_command, system.settings, system.base_url)
        source = DemoInput(command, system.base_url, click.echo, banner)
        uvloop.run(system.run([source]))
    click.echo("\nWarroom has stopped.")
