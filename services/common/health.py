"""`warroom health`: what a container's health check runs, where there is no curl. It loads no service."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

import click

from services.common.settings import load_settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@click.command()
@click.option("--url", help="Base of a service's paths.  [default: of WARROOM_HTTP_HOST and WARROOM_HTTP_PORT]")
@click.option(
    "--live", is_flag=True, help="Asks whether it is alive (/healthz), not whether it does its work (/readyz)."
)
@click.option("--timeout", type=click.FloatRange(0.1, 60), default=4.0, show_default=True, help="Seconds to wait.")
def health(url: str | None, live: bool, timeout: float) -> None:
    """Asks a service whether it is ready: status 0 when it is, else 1 and the reason."""
    base = own_address() if url is None else url.rstrip("/")
    try:
        # No proxy of the environment stands between a container and itself.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{base}{'/healthz' if live else '/readyz'}", timeout=timeout) as answer:
            click.echo(answer.read(10_000).decode(errors="replace"))
    except urllib.error.HTTPError as error:
        click.echo(f"{error.code} {error.read(10_000).decode(errors='replace')}")
        sys.exit(1)
    except (OSError, ValueError) as error:
        click.echo(f"{base} does not answer: {error}")
        sys.exit(1)


def own_address() -> str:
    """Where a service with the settings of this environment is reached from the same machine."""
    settings = load_settings()
    host = _EVERYWHERE.get(settings.http_host, settings.http_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"
