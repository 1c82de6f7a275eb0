"""`warroom standalone` and `warroom demo`."""

from __future__ import annotations

from collections.abc import Callable
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
    from services.standalone.system import Place, System

    system = System(Place(data_dir, http_port, kafka_port, host), stop)
    configure_logs(system.settings.log_level)
    uvloop.run(system.run())
