"""`warroom privacy`."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
import httpx

from services.common.access.client import credentials
from services.common.clock import wall_clock
from services.common.errors import BrokerError, ConfigurationError, StoreError, WarroomError
from services.common.logs import configure_logs
from services.common.people import Mode, NamesRecord, PersonKey
from services.common.people.key import write_key
from services.common.people.record import latest_record
from services.common.settings import EVENT_KINDS, Settings, load_settings
from services.common.store import Store
from services.common.store.clickhouse import store_of
from services.privacy.desk import Actor, Desk
from services.privacy.rotate import rotate as rotate_key
from services.privacy.tables import SKETCHES

_SECONDS = 3_600.0
_CONNECT_SECONDS = 5.0

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _place(command: _Command) -> _Command:
    for option in (
        click.option(
            "--url",
            help="A running standalone.  [default: the store of WARROOM_CLICKHOUSE_URL, else WARROOM_EXTERNAL_URL]",
        ),
        click.option(
            "--old-key",
            "older",
            multiple=True,
            type=click.Path(path_type=Path, dir_okay=False),
            help="A key that was in force before; may be repeated.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def privacy() -> None:
    """People: erase one, export one, and the key that hides who they are. docs/privacy.md"""
    configure_logs("WARNING")


@privacy.command()
@click.option("--user-id", "user_ids", multiple=True, help="Whom; may be repeated.")
@click.option(
    "--file", "file", type=click.File("r", encoding="utf-8"), help="Their ids, one a line; - is standard input."
)
@click.option("--again", is_flag=True, help="All who were erased before: after a restore, or records read again.")
@click.option("--json", "as_json", is_flag=True, help="JSON.")
@_place
def erase(
    user_ids: tuple[str, ...], file: TextIO | None, again: bool, as_json: bool, url: str | None, older: tuple[Path, ...]
) -> None:
    """Cuts people off from their rows; every figure of the shop stays. Run it again when it was cut off."""
    wanted = [*user_ids, *(line for line in (file.read().splitlines() if file else ()) if line)]
    if again == bool(wanted):
        raise ConfigurationError("name whom to erase by --user-id or --file, or say --again")
    settings = load_settings()
    if _asks(settings, url):
        done = _asked(settings, url, "erase", {"user_ids": wanted, "again": again}, older).json()
    else:
        with _opened(settings) as store:
            desk = Desk(store, settings, wall_clock, older)
            done = desk.erase_again(_me()) if again else desk.erase(wanted, _me())
    click.echo(json.dumps(done) if as_json else _told(done, settings))
    if done["missing_keys"]:
        raise WarroomError(
            f"rows of the key {', '.join(done['missing_keys'])} could not be searched; name its file with --old-key"
        )


@privacy.command()
@click.option("--user-id", required=True, help="Whose.")
@_place
def export(user_id: str, url: str | None, older: tuple[Path, ...]) -> None:
    """Prints everything that is stored under a person's name, as JSON lines."""
    settings = load_settings()
    if _asks(settings, url):
        click.echo(_asked(settings, url, "export", {"user_id": user_id}, older).text, nl=False)
        return
    with _opened(settings) as store:
        for line in Desk(store, settings, wall_clock, older).export(user_id, _me()):
            click.echo(json.dumps(line, ensure_ascii=False))


@privacy.command("new-key")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
def new_key(path: Path) -> None:
    """Makes a key in a new file that its owner alone can read. Keep a copy where the backups are not."""
    key = PersonKey.random()
    write_key(path, key)
    click.echo(f"{path} holds the key {key.fingerprint}.")


@privacy.command()
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The file of the new key.")
@click.option("--plain", is_flag=True, help="Name people by plain ids from now on.")
@click.option("--force", is_flag=True, help="While a campaign runs, in which people then count twice.")
def rotate(to: Path | None, plain: bool, force: bool) -> None:
    """Names people by another key from now on; ingest has to be stopped. Rows that are there stay as they are."""
    if plain and to is not None:
        raise ConfigurationError("--plain uses no key; leave --to out")
    settings = load_settings()
    with _opened(settings) as store:
        done = rotate_key(store, settings, wall_clock, to=to, plain=plain, force=force)
    click.echo(f"Until now: {_way(done.before)}. From now on: {_way(done.now)}.")


@privacy.command()
def status() -> None:
    """How the store names people."""
    with _opened(load_settings()) as store:
        click.echo(_way(latest_record(store)))


def _way(record: NamesRecord | None) -> str:
    if record is None:
        return "nothing was written yet"
    if record.mode is Mode.PLAIN:
        return "plain ids, as they were before there were keys" if record.origin == "before" else "plain ids"
    return f"key {record.fingerprint}" + (", which lies in the store" if record.key is not None else "")


def _told(done: dict[str, Any], settings: Settings) -> str:
    lines = [f"{table}: {rows} rows cut off" for table, rows in done["rows"].items()]
    lines.append(f"dead_letters: {done['letters']} emptied")
    lines.append(f"alerts: {done['alerts']} renamed")
    if done["finished"]:
        lines.append(f"{done['finished']} erasures that had been cut off are finished")
    lines.append("")
    lines.append(f"Kept: {', '.join(SKETCHES)} hold sets of hashes, by which counts stay as they were.")
    topics = ", ".join(settings.topics[kind] for kind in (*EVENT_KINDS[:3], "dlq"))
    lines.append(f"Not reached: Kafka holds the records of {topics} until their retention is over, and backups of the")
    lines.append("store hold what it held. After a restore, or records read again: warroom privacy erase --again")
    return "\n".join(lines)


def _me() -> Actor:
    try:
        return Actor(getpass.getuser(), "command")
    except (KeyError, OSError):
        return Actor("", "command")


def _asks(settings: Settings, url: str | None) -> bool:
    return url is not None or settings.clickhouse_url is None


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    if settings.clickhouse_url is None:
        raise ConfigurationError("set WARROOM_CLICKHOUSE_URL to the store; that of a standalone is chdb:///DIR/store")
    url = settings.clickhouse_url.get_secret_value()
    try:
        # Rows are rewritten while the call waits.
        store = store_of(settings, timeout_seconds=max(_SECONDS, settings.store_timeout_seconds))
    except StoreError as error:
        if not settings.embedded_store:
            raise
        raise ConfigurationError(
            f"{url} cannot be opened; an embedded store belongs to one process: ask the Warroom that runs on it with "
            f"--url, or stop it first ({error})"
        ) from error
    try:
        yield store
    finally:
        store.close()


def _asked(
    settings: Settings, url: str | None, call: str, body: dict[str, Any], older: Sequence[Path]
) -> httpx.Response:
    if older:
        raise ConfigurationError(
            "--old-key works where this command opens the store itself; set WARROOM_CLICKHOUSE_URL"
        )
    base = (url or settings.external_url).rstrip("/")
    try:
        answer = httpx.post(
            f"{base}/api/v1/privacy/{call}",
            json=body,
            headers=credentials(settings),
            timeout=httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BrokerError(
            f"no Warroom answers at {base} ({error}); name a running standalone with --url, or its store with "
            "WARROOM_CLICKHOUSE_URL"
        ) from error
    if not answer.is_success:
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        raise WarroomError(problem.get("detail") or f"{base} answered {answer.status_code}: {answer.text[:200]}")
    return answer
