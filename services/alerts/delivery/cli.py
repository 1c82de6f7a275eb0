"""`warroom receivers`: check the receivers file, and prove that each receiver can be told, before a festival does."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.alerts.delivery.receiver import Receiver


@click.group()
def receivers() -> None:
    """Check who is told of alerts, and tell them something."""


@receivers.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say what is wrong with a receivers FILE, without its secrets; status 2 if anything is."""
    from services.alerts.delivery.receiver import parse_receivers
    from services.common.errors import ConfigurationError

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from None
    for entry in parse_receivers(text, str(file)):
        click.echo(f"{entry.name}: {entry.type}, right")


@receivers.command()
@click.argument("names", nargs=-1)
def test(names: tuple[str, ...]) -> None:
    """Send a test alert and its end to the receivers NAMES, or to all; status 1 if one did not take them.

    They are those of WARROOM_RECEIVERS_FILE and WARROOM_ALERT_WEBHOOK_URL. People who would be called for an alert of
    severity info are called.
    """
    from services.alerts.delivery.receiver import load_receivers
    from services.common.errors import ConfigurationError
    from services.common.settings import load_settings

    found = load_receivers(load_settings(), os.environ)
    unknown = sorted(set(names) - {receiver.name for receiver in found})
    if unknown:
        raise ConfigurationError(f"there is no receiver named {', '.join(unknown)}")
    chosen = [receiver for receiver in found if not names or receiver.name in names]
    if not chosen:
        raise ConfigurationError("there are no receivers: set WARROOM_RECEIVERS_FILE or WARROOM_ALERT_WEBHOOK_URL")
    if not asyncio.run(_tell_all(chosen)):
        raise SystemExit(1)


async def _tell_all(chosen: list[Receiver]) -> bool:
    from services.alerts.delivery.trial import told

    well = True
    for receiver in chosen:
        async for kind, attempt in told(receiver):
            click.echo(f"{receiver.name}: {kind}: {'taken' if attempt.delivered else 'NOT taken'}, {attempt.detail}")
            well = well and attempt.delivered
    return well
