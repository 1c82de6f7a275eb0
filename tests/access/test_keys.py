"""The file of keys and the command that writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.common.access.cli import keys as command
from services.common.access.keys import KeyBook, read_keys
from services.common.errors import ConfigurationError, NotLetIn, UnreadableFile
from tests.access.people import keys_in

NOW_MS = 1_794_355_230_000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


def invoke(path: Path, *arguments: str) -> str:
    return CliRunner().invoke(command, [*arguments, "--file", str(path)], catch_exceptions=False).stdout


def test_a_key_is_added_listed_and_revoked(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "keys.yaml"
    first = invoke(path, "add", "wall 一号", "--campaign", "double-*", "--campaign", "x").strip().splitlines()[-1]
    second = invoke(path, "add", "root", "--role", "admin", "--expires", "2099-01-01").strip().splitlines()[-1]
    book = KeyBook(path, Clock())
    entry = book.find(first, NOW_MS)
    assert (entry.name, entry.role, entry.campaigns) == ("wall 一号", "viewer", ("double-*", "x"))
    assert book.find(second, NOW_MS).campaigns == ("*",)
    listed = invoke(path, "list")
    assert "wall 一号\tviewer\tdouble-*,x\tnever ends" in listed
    assert first not in listed + path.read_text()
    with pytest.raises(ConfigurationError, match="there is a key"):
        invoke(path, "add", "root")
    invoke(path, "revoke", "root")
    with pytest.raises(NotLetIn):
        book.find(second, NOW_MS)
    assert book.find(first, NOW_MS)


def test_a_key_ends(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    key = invoke(path, "add", "k", "--expires", "2099-01-01").strip().splitlines()[-1]
    ends = 4_070_908_800_000
    assert KeyBook(path).find(key, ends - 1)
    with pytest.raises(NotLetIn):
        KeyBook(path).find(key, ends)


@pytest.mark.parametrize(
    "arguments",
    [("k", "--campaign", "a b"), ("k", "--campaign", "a?"), ("k", "--campaign", "[a]"), ("k", "--expires", "soon"),
     ("k", "--expires", "2001-01-01"), ("",), ("a\nb",)],
)  # fmt: skip
def test_what_is_no_key_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = tmp_path / "keys.yaml"
    with pytest.raises(ConfigurationError):
        invoke(path, "add", *arguments)
    assert not path.exists()


HASH = "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        "keys: [{name: a}]",
        f"keys: [{{name: a, sha256: {HASH}, role: king}}]",
        f"keys: [{{name: a, sha256: {HASH}, role: viewer, campaigns: []}}]",
        f"keys: [{{name: a, sha256: {HASH}, role: viewer, campagns: [x]}}]",
        f"keys: [{{name: a, sha256: {HASH}, role: viewer, expires: 2027-01-01T00:00:00}}]",
        f"keys: [{{name: a, sha256: {HASH}, role: viewer}}, {{name: b, sha256: {HASH}, role: admin}}]",
        "keys: {",
        "[]",
        "!!python/object/apply:os.system [true]",
    ],
)
def test_a_file_that_is_not_understood_lets_in_whom_the_last_one_did(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.yaml"
    known = keys_in(path)
    book = KeyBook(path, Clock())
    path.write_text(text)
    with pytest.raises(UnreadableFile):
        read_keys(path)
    assert book.find(known["viewer-all"], NOW_MS).name == "viewer-all"
    with pytest.raises(ConfigurationError, match="warroom keys add"):
        KeyBook(path)
    path.unlink()
    assert book.find(known["viewer-all"], NOW_MS)
    fresh = keys_in(path)
    assert book.find(fresh["viewer-all"], NOW_MS)
    with pytest.raises(NotLetIn):
        book.find(known["viewer-all"], NOW_MS)
