"""`warroom receivers`: check the receivers file, and prove that each receiver can be told, before a festival does."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from services.alerts.alert import Transition
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
    from services.common.clock import wall_clock

    well = True
    for receiver in chosen:
        try:
            for kind in ("firing", "resolved"):
                now = wall_clock()
                message = receiver.sink.render([_notice(kind, now)], receiver.context(now))
                attempt = await receiver.sink.send(message, now)
                click.echo(
                    f"{receiver.name}: {kind}: {'taken' if attempt.delivered else 'NOT taken'}, {attempt.detail}"
                )
                if not attempt.delivered:
                    well = False
                    break
        finally:
            await receiver.sink.close()
    return well


def _notice(kind: str, now: int) -> Transition:
    from services.alerts.alert import Alert, Transition, alert_id, fingerprint_of
    from services.alerts.lifecycle import Life, State

    labels = {"campaign_id": "warroom-test"}
    fingerprint = fingerprint_of("receiver_test", labels)
    # Both notices are of one incident, which began at the start of the minute.
    began = now - now % 60_000
    over = kind == "resolved"
    alert = Alert(
        id=alert_id(began, fingerprint),
        rule="receiver_test",
        severity="info",
        campaign_id=labels["campaign_id"],
        labels=labels,
        fingerprint=fingerprint,
        life=Life(State.RESOLVED if over else State.FIRING, began, fired_at=began, ends_at=now if over else None),
        value=0,
        threshold=0,
        summary="A test of this receiver: nothing is wrong",
        runbook="Nothing is to be done.",
        starts_at=began,
        complete_until=now,
        annotations={"summary_zh": "接收方测试：一切正常", "runbook_zh": "无需处理。"},
    )
    return Transition(alert, now, notice=kind)
