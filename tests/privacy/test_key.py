"""Which keys are taken, from which files."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

import pytest

from services.common.errors import ConfigurationError
from services.common.people import PersonKey
from services.common.people.key import local_keys, read_key, write_key

GOOD = secrets.token_bytes(32)


def key_file(directory: Path, content: bytes, mode: int = 0o400) -> Path:
    path = directory / "user.key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_key_is_read_in_each_of_its_forms(tmp_path: Path) -> None:
    wanted = PersonKey.of(GOOD)
    for number, content in enumerate(
        (GOOD, GOOD.hex().encode(), GOOD.hex().upper().encode() + b"\n", base64.b64encode(GOOD) + b"\n")
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        assert read_key(key_file(directory, content)) == wanted


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:31],
        bytes(64),
        b"correct horse battery staple, says somebody",
        b"hunter2" * 9,
        bytes(1025),
        b"ab" * 32,
    ],
    ids=["empty", "short", "zeros", "sentence", "word", "huge", "repeated digits"],
)
def test_what_can_be_guessed_is_no_key(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"new-key|bytes"):
        read_key(key_file(tmp_path, content))


@pytest.mark.parametrize(
    ("mode", "fine"), [(0o400, True), (0o440, True), (0o600, True), (0o644, False), (0o660, False)]
)
def test_a_key_that_others_can_read_is_none(tmp_path: Path, mode: int, fine: bool) -> None:
    path = key_file(tmp_path, GOOD, mode)
    if fine:
        assert read_key(path).fingerprint
    else:
        with pytest.raises(ConfigurationError, match="chmod"):
            read_key(path)


def test_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_key(tmp_path / "none")


def test_a_new_key_is_its_owners_alone_and_never_replaces_one(tmp_path: Path) -> None:
    key = PersonKey.random()
    path = tmp_path / "keys" / "a.key"
    before = os.umask(0)
    try:
        write_key(path, key)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == key
    with pytest.raises(ConfigurationError, match="exists"):
        write_key(path, PersonKey.random())
    assert local_keys(path.parent) == {key.fingerprint: key}
    assert [each.name for each in path.parent.iterdir()] == ["a.key"]


def test_neither_a_key_nor_its_fingerprint_tells_the_secret() -> None:
    key = PersonKey.of(GOOD)
    assert GOOD.hex() not in repr(key)
    assert key.fingerprint not in GOOD.hex()
    assert "\\x" not in repr(key)
