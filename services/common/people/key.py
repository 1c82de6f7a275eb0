"""The secret key under which people are named, and the file that it lies in."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final

from services.common.errors import ConfigurationError

LEAST_BYTES: Final = 32
_MOST_BYTES: Final = 1024
_LONGEST_KEY: Final = 64
"""What BLAKE2b takes as a key (RFC 7693)."""
_LEAST_DIFFERENT: Final = 16
"""Of 32 random bytes fewer than 16 are different once in 10^13 keys."""
_HOW: Final = "make one with `warroom privacy new-key FILE`"


@dataclass(frozen=True, slots=True)
class PersonKey:
    """At least 32 random bytes. `fingerprint` names the key, in 16 hexadecimal digits, and tells nothing about it."""

    secret: bytes = field(repr=False)
    fingerprint: str

    @classmethod
    def of(cls, material: bytes) -> PersonKey:
        """The key that is made of `material`. Raises `ConfigurationError` when that is short or surely not random."""
        if len(material) < LEAST_BYTES:
            raise ConfigurationError(
                f"a key needs {LEAST_BYTES} random bytes or more, this has {len(material)}; {_HOW}"
            )
        if len(set(material)) < _LEAST_DIFFERENT:
            raise ConfigurationError(f"a key of bytes that repeat can be guessed; {_HOW}")
        secret = material if len(material) <= _LONGEST_KEY else blake2b(material).digest()
        return cls(secret, blake2b(key=secret, digest_size=8, person=b"warroom/key").hexdigest())

    @classmethod
    def random(cls) -> PersonKey:
        """A new one, from the system's source of randomness."""
        return cls.of(secrets.token_bytes(LEAST_BYTES))

    @classmethod
    def from_text(cls, text: str) -> PersonKey:
        """The key that hexadecimal digits or base64 spell. Raises `ConfigurationError` for any other text."""
        digits = text.strip()
        try:
            return cls.of(bytes.fromhex(digits))
        except ValueError:
            pass
        try:
            return cls.of(base64.b64decode(digits, validate=True))
        except binascii.Error:
            raise ConfigurationError(f"this is text that somebody typed, which can be guessed; {_HOW}") from None


def read_key(path: Path) -> PersonKey:
    """The key in a file: as bytes, or spelled in hexadecimal digits or base64.

    Raises `ConfigurationError` where it cannot be read, where everybody on the machine can, or where it is weak.
    """
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"the key file {path} cannot be read ({error.strerror}); name a file that this process may read"
        ) from None
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigurationError(
            f"the key file {path} may be read or changed by others than its owner (mode {stat.S_IMODE(mode):04o}); "
            "chmod 0400 it, or 0440 where a group has to read it"
        )
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(f"the key file {path} holds more than {_MOST_BYTES} bytes; {_HOW}")
    try:
        # 32 random bytes are all printable once in 10^14 keys, so a text is one that spells a key.
        if content.isascii() and content.strip().decode("ascii").isprintable():
            return PersonKey.from_text(content.decode("ascii"))
        return PersonKey.of(content)
    except ConfigurationError as error:
        raise ConfigurationError(f"the key file {path}: {error}") from None


def write_key(path: Path, key: PersonKey) -> None:
    """Writes a file for its owner alone, whole or not at all. Raises `ConfigurationError` where one exists."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(key.secret.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link does not replace what is there.
            os.link(beside, path)
        finally:
            beside.unlink()
    except FileExistsError:
        raise ConfigurationError(f"{path} exists; a key that is replaced is lost, choose another name") from None
    except OSError as error:
        raise ConfigurationError(f"the key file {path} cannot be written ({error.strerror})") from None


def local_keys(directory: Path) -> dict[str, PersonKey]:
    """The keys in the files of a folder, by fingerprint; none where there is no folder. Raises as `read_key`."""
    found = (read_key(path) for path in sorted(directory.glob("*.key")))
    return {key.fingerprint: key for key in found}
