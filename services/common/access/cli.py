"""`warroom keys`: the API keys of a Warroom."""

from __future__ import annotations

import re
from pathlib import Path

import click

from services.common.access.keys import KeyEntry, KeyFile, hash_of, moment, new_key, read_keys, write_keys
from services.common.access.roles import EVERY, PATTERN
from services.common.clock import wall_clock
from services.common.errors import ConfigurationError, UnreadableFile
from services.common.settings import load_settings

_FILE = click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The file of keys.  [default: WARROOM_API_KEYS_FILE]",
)


@click.group()
def keys() -> None:
    """Adds, lists and revokes the API keys that a Warroom lets in.

    A running Warroom reads the file again within a second of its change.
    """


@keys.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["viewer", "operator", "admin"]), default="viewer", show_default=True)
@click.option(
    "--campaign", "campaigns", multiple=True, help="Campaign ids, with * for any characters.  [default: all of them]"
)
@click.option("--expires", default=None, help="A day (UTC) or an RFC 3339 moment from which it lets nobody in.")
@_FILE
def add(name: str, role: str, campaigns: tuple[str, ...], expires: str | None, path: Path | None) -> None:
    """Makes a key and prints it, once: the file keeps its hash alone."""
    place = _place(path)
    known = _read(place)
    if any(entry.name == name for entry in known.keys):
        raise ConfigurationError(f"there is a key named {name!r}; revoke it first, or choose another name")
    for pattern in campaigns:
        if re.fullmatch(PATTERN, pattern) is None:
            raise ConfigurationError(f"{pattern!r} is no campaign: 1 to 64 of A-Z a-z 0-9 _ . - and *")
    try:
        ends = None if expires is None else moment(expires)
    except ValueError:
        raise ConfigurationError(f"--expires {expires!r} is no day and no moment; write 2027-01-31") from None
    key = new_key()
    try:
        entry = KeyEntry(name=name, sha256=hash_of(key), role=role, campaigns=campaigns or (EVERY,), expires=ends)
    except ValueError:
        raise ConfigurationError(f"{name!r} is no name: 1 to 128 characters that can be seen") from None
    if entry.over(wall_clock()):
        raise ConfigurationError(f"--expires {expires} is past")
    write_keys(place, KeyFile(keys=(*known.keys, entry)))
    click.echo(f"{place} has the hash of it; this is the only time that the key itself is shown:", err=True)
    click.echo(key)


@keys.command(name="list")
@_FILE
def list_keys(path: Path | None) -> None:
    """Lists the keys, without anything that would let somebody in."""
    now = wall_clock()
    for entry in _read(_place(path)).keys:
        ends = "never ends" if entry.expires is None else f"{'ended' if entry.over(now) else 'ends'} {entry.expires}"
        click.echo(f"{entry.name}\t{entry.role}\t{','.join(entry.campaigns)}\t{ends}")


@keys.command()
@click.argument("name")
@_FILE
def revoke(name: str, path: Path | None) -> None:
    """Takes a key away, and with it the sessions that were begun with it."""
    place = _place(path)
    known = _read(place)
    left = tuple(entry for entry in known.keys if entry.name != name)
    if len(left) == len(known.keys):
        raise ConfigurationError(f"there is no key named {name!r} in {place}")
    write_keys(place, KeyFile(keys=left))
    click.echo(f"{name} is revoked")


def _place(path: Path | None) -> Path:
    found = path or load_settings().api_keys_file
    if found is None:
        raise ConfigurationError("name the file of keys with --file, or set WARROOM_API_KEYS_FILE")
    return found


def _read(path: Path) -> KeyFile:
    if not path.exists():
        return KeyFile()
    try:
        return read_keys(path)
    except UnreadableFile as error:
        raise ConfigurationError(f"{path} {error}") from error
