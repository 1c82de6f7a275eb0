"""`warroom dead-letters`."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, BinaryIO, TypeVar

import click

from schemas.dead_letters import REASONS
from services.common.letters import Outcome, Place, field_text
from services.common.letters.answers import RedriveBody
from services.common.logs import configure_logs
from services.common.settings import load_settings
from services.letters.client import Letters, open_letters
from services.letters.render import letter_table, letter_text, redrive_table

_PAGE = 1_000
_FINE = {Outcome.SENT, Outcome.ACCEPTABLE, Outcome.ALREADY}

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _filters(command: _Command) -> _Command:
    for option in (
        click.option("--to", "end", metavar="TIME", help="Received before, RFC 3339."),
        click.option("--from", "start", metavar="TIME", help="Received since, RFC 3339."),
        click.option("--topic", help="The topic's full name."),
        click.option("--reason", type=click.Choice(REASONS), help="Why they were refused."),
    ):
        command = option(command)
    return command


@click.group("dead-letters")
@click.option(
    "--url",
    help="Address of a running Warroom.  [default: WARROOM_EXTERNAL_URL; "
    "a ClickHouse server in WARROOM_CLICKHOUSE_URL is asked itself]",
)
@click.pass_context
def dead_letters(context: click.Context, url: str | None) -> None:
    """Records that were refused: list them, look at one, send them back."""
    settings = load_settings()
    configure_logs("WARNING")
    context.obj = open_letters(settings, url)


@dead_letters.command("list")
@_filters
@click.option("--redriven/--open", default=None, help="Only those that were sent back, or only the others.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="JSON, as the API writes it.")
@click.pass_obj
def list_letters(
    letters: Letters,
    reason: str | None,
    topic: str | None,
    start: str | None,
    end: str | None,
    redriven: bool | None,
    limit: int,
    as_json: bool,
) -> None:
    """What was refused and why, newest first."""
    chosen = {"reason": reason, "topic": topic, "from": start, "to": end}
    if redriven is not None:
        chosen["redriven"] = "true" if redriven else "false"
    given = {name: value for name, value in chosen.items() if value is not None}
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page, after = letters.page(given, min(_PAGE, limit - len(rows)), after)
        rows += page
        if after is None or len(rows) >= limit:
            break
    if as_json:
        click.echo(json.dumps({"rows": rows, "more": after is not None}, ensure_ascii=False))
    elif rows:
        click.echo(letter_table(rows, shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else 10_000))
        if after is not None:
            click.echo(f"There are more; --limit {10 * limit} shows more of them.", err=True)
    else:
        click.echo("No dead letters.", err=True)


@dead_letters.command()
@click.argument("letter", metavar="TOPIC/PARTITION/OFFSET")
@click.option("--json", "as_json", is_flag=True, help="JSON, the value in base64.")
@click.option("--raw", is_flag=True, help="Nothing but the bytes of the record, to be put right in a file.")
@click.pass_obj
def show(letters: Letters, letter: str, as_json: bool, raw: bool) -> None:
    """One letter: reason, field at fault, key, and the record."""
    row = letters.show(Place.parse(letter))
    if raw:
        sys.stdout.buffer.write(base64.b64decode(row["value"]))
    elif as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
    else:
        click.echo(letter_text(row))


@dead_letters.command()
@click.argument("chosen", nargs=-1, metavar="[TOPIC/PARTITION/OFFSET]...")
@_filters
@click.option("--all", "all_", is_flag=True, help="Every letter that was not sent back yet.")
@click.option("--file", "file", type=click.File("rb"), help="For one letter: the whole record to send instead.")
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="FIELD=VALUE",
    help="For one letter: the new value of a field, such as currency=CNY or items[0].price=19.90; JSON, else a string.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be accepted now.")
@click.option("--force", is_flag=True, help="Send what would be refused again, too.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object for all.")
@click.pass_obj
def redrive(
    letters: Letters,
    chosen: tuple[str, ...],
    reason: str | None,
    topic: str | None,
    start: str | None,
    end: str | None,
    all_: bool,
    file: BinaryIO | None,
    fields: tuple[str, ...],
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Send letters back to their topics, each once: as they are, after a fix of the settings, or put right.

    Records that would be refused again stay where they are. The status is 0 when every letter is sent back by now, 1
    when one is not, 2 when it could not be done; then run it again.
    """
    selects = all_ or any((reason, topic, start, end))
    if selects and end is None:
        # What is refused again meanwhile is not to be sent in a circle.
        end = datetime.now(UTC).isoformat(timespec="milliseconds")
    body = RedriveBody.model_validate(
        {
            "letters": list(chosen),
            "reason": reason,
            "topic": topic,
            "from": start,
            "to": end,
            "all": all_,
            "value": None if file is None else base64.b64encode(file.read()).decode(),
            "set": dict(_field(text) for text in fields),
            "dry_run": dry_run,
            "force": force,
        }
    )
    counts: Counter[str] = Counter()
    done: list[dict[str, Any]] = []
    while True:
        answer = letters.redrive(body)
        counts.update(each["outcome"] for each in answer["letters"])
        if as_json:
            done += answer["letters"]
        elif answer["letters"]:
            click.echo(redrive_table(answer["letters"]))
        if answer["next"] is None:
            break
        body = body.model_copy(update={"after": answer["next"]})
    if as_json:
        click.echo(json.dumps({"letters": done, "counts": counts}, ensure_ascii=False))
    else:
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "No such letter.", err=True)
    if not set(counts) <= {outcome.value for outcome in _FINE}:
        sys.exit(1)


def _field(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not FIELD=VALUE", param_hint="--set")
    return path, field_text(value).decode()
