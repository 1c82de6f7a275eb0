"""API keys: a file of their hashes, read again when it changes.

A key is 256 random bits, so its SHA-256 tells nobody the key and needs no salt and no slow hash: there is nothing to
guess. The file names each key, its role and campaigns, and when it ends.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.common import prometheus
from services.common.access.roles import EVERY, PATTERN, Grant, How, Principal, Role, Scope
from services.common.clock import to_ms
from services.common.errors import ConfigurationError, NotLetIn, UnreadableFile

logger = logging.getLogger(__name__)

PREFIX: Final = "wr_"
"""Every key begins so: people and scanners know it for what it is."""

_MOST_BYTES = 1 << 20
_LOOK_SECONDS = 1.0


class KeyEntry(BaseModel):
    """One key as the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    role: Annotated[str, Field(pattern="^(viewer|operator|admin)$")]
    campaigns: Annotated[tuple[Annotated[str, Field(pattern=PATTERN)], ...], Field(min_length=1)] = (EVERY,)
    expires: AwareDatetime | None = None

    def principal(self, how: How = How.KEY, *, browser: bool = False) -> Principal:
        """Who shows this key."""
        return Principal(self.name, (Grant(Role.of(self.role), Scope(self.campaigns)),), how, browser=browser)

    def over(self, now_ms: int) -> bool:
        """Whether it has ended. `now_ms` is epoch milliseconds."""
        return self.expires is not None and now_ms >= to_ms(self.expires)


class KeyFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[KeyEntry, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, found in (("name", [k.name for k in self.keys]), ("sha256", [k.sha256 for k in self.keys])):
            twice = {value for value in found if found.count(value) > 1}
            if twice:
                raise ValueError(f"two keys have the same {what}: {min(twice)}")
        return self


def new_key() -> str:
    """A key that nobody has had."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_keys(path: Path) -> KeyFile:
    """Raises `UnreadableFile`."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnreadableFile(f"is larger than {_MOST_BYTES >> 20} MiB")
        return KeyFile.model_validate(_mapping(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"is no YAML: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UnreadableFile(f"{field + ': ' if field else ''}{first['msg'].removeprefix('Value error, ')}") from error


def _mapping(text: str) -> Any:
    # A file without a key yet is empty, or holds a comment.
    found = yaml.safe_load(text)
    return {} if found is None else found


def write_keys(path: Path, keys: KeyFile) -> None:
    """Replaces the file in one step, readable by its owner alone. Raises `ConfigurationError`."""
    rows: list[dict[str, Any]] = []
    for key in keys.keys:
        row = key.model_dump(exclude_none=True)
        row["campaigns"] = list(key.campaigns)
        if key.expires is not None:
            row["expires"] = key.expires.astimezone(UTC).isoformat()
        rows.append(row)
    text = "# API keys of Warroom; `warroom keys` writes this file. docs/access.md\n" + yaml.safe_dump(
        {"keys": rows}, sort_keys=False, allow_unicode=True
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes it readable by its owner alone.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"the file of keys {path} cannot be written: {error.strerror}") from error


class KeyBook:
    """The keys that are in force. A file that cannot be read leaves the earlier ones in force, and says so.

    `elapsed` is a clock in seconds that only paces the looks at the file. Raises `ConfigurationError` for a file that
    is unreadable at the start.
    """

    def __init__(self, path: Path, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._elapsed = elapsed
        self._looked = elapsed()
        self._mark = self._stamp()
        try:
            self._keys = read_keys(path).keys
        except UnreadableFile as error:
            raise ConfigurationError(f"WARROOM_API_KEYS_FILE {path} {error}; `warroom keys add` makes one") from error
        prometheus.KEYS_FILE_VALID.set(1)

    def find(self, key: str, now_ms: int) -> KeyEntry:
        """Raises `NotLetIn`. Every key is compared with in constant time."""
        shown = hash_of(key)
        found = None
        for entry in self._current():
            if hmac.compare_digest(entry.sha256, shown):
                found = entry
        if found is None:
            raise NotLetIn("no such key")
        if found.over(now_ms):
            raise NotLetIn(f"the key {found.name!r} ended at {found.expires}")
        return found

    def named(self, name: str, mark: str, now_ms: int) -> KeyEntry:
        """The key that a session was begun with. `mark` is how its hash begins, so that one that has got the name since
        is another. Raises `NotLetIn`."""
        for entry in self._current():
            if entry.name == name and entry.sha256.startswith(mark) and mark and not entry.over(now_ms):
                return entry
        raise NotLetIn(f"the key {name!r} of this session is gone")

    def _current(self) -> tuple[KeyEntry, ...]:
        now = self._elapsed()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            mark = self._stamp()
            if mark != self._mark:
                self._mark = mark
                self._reload()
        return self._keys

    def _reload(self) -> None:
        try:
            self._keys = read_keys(self._path).keys
        except UnreadableFile as error:
            prometheus.KEYS_FILE_VALID.set(0)
            logger.error("the file of API keys is unreadable; the earlier keys stay", extra={"why": str(error)})
            return
        prometheus.KEYS_FILE_VALID.set(1)
        logger.info("API keys read", extra={"keys": len(self._keys)})

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def moment(text: str) -> datetime:
    """An RFC 3339 moment, or a day in UTC. Raises `ValueError`."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
