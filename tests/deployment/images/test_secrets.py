"""What deploy/secrets.sh makes, read by those who use it."""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from services.common.access.keys import hash_of, read_keys
from services.common.people.key import read_key
from tests.deployment.images.secrets import made_secrets, run_script


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_it_makes_each_once(tmp_path: Path) -> None:
    """Catches: a second start that locks out everybody who has a key, or makes the stored ids of people worthless."""
    first = run_script(tmp_path)
    made = contents(tmp_path)
    second = run_script(tmp_path)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "wr_" in first.stdout
    assert second.stdout == ""
    assert contents(tmp_path) == made
    (tmp_path / "secrets" / "grafana_admin_password").unlink()
    assert run_script(tmp_path).returncode == 0
    changed = contents(tmp_path)
    assert {name for name in made if made[name] != changed[name]} == {"grafana_admin_password"}


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    for path in (made, *made.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO == 0, path
        assert path.stat().st_mode & stat.S_IRGRP, path


def test_no_two_are_the_same_and_none_is_short(tmp_path: Path) -> None:
    made = contents(made_secrets(tmp_path))
    random = [re.search(r"[0-9a-f]{64}", made[name]) for name in made if not name.endswith((".yaml", ".xml"))]
    assert all(random)
    assert len({found[0] for found in random if found}) == len(random) == 8


def test_the_services_read_what_it_made(tmp_path: Path) -> None:
    """Catches: a form of keys, of the user key or of ClickHouse's users that only the script believes in."""
    made = made_secrets(tmp_path)
    added = run_script(tmp_path, "key", "on-call", "operator")
    assert added.returncode == 0
    keys = {entry.name: entry for entry in read_keys(made / "keys" / "api_keys.yaml").keys}
    assert {name: entry.role for name, entry in keys.items()} == {
        "prometheus": "viewer", "input": "admin", "admin": "admin", "on-call": "operator",
    }  # fmt: skip
    for name in ("prometheus", "input"):
        assert keys[name].sha256 == hash_of((made / f"{name}_key").read_text())
    assert keys["on-call"].sha256 == hash_of(added.stdout.strip())
    assert len(read_key(made / "user_key").secret) == 32
    users = ElementTree.parse(made / "clickhouse_users.xml").getroot().find("users")
    assert users is not None
    url = urlsplit((made / "clickhouse_url").read_text())
    assert (url.username, url.hostname, url.port, url.path) == ("warroom", "clickhouse", 8123, "/warroom")
    passwords = {"warroom": url.password or "", "admin": (made / "clickhouse_admin_password").read_text()}
    for user, password in passwords.items():
        expected = hashlib.sha256(password.encode()).hexdigest()
        assert users.findtext(f"{user}/password_sha256_hex") == expected
    assert "@" not in (made / "clickhouse_users.xml").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ("key",), ("key", "a"), ("key", "a", "root"), ("key", "", "viewer"), ("key", 'a"\n    role: admin', "viewer"),
        ("key", "admin", "viewer"), ("key", "a", "viewer", "more"), ("other",),
    ],
)  # fmt: skip
def test_it_refuses_what_would_break_the_file(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Catches: a name that writes YAML of its own, and a key that is there twice."""
    made = made_secrets(tmp_path)
    before = contents(made)
    assert run_script(tmp_path, *arguments).returncode != 0
    assert contents(made) == before
    assert yaml.safe_load((made / "keys" / "api_keys.yaml").read_text())["keys"]
