"""A store remembers how its rows name people, and nothing else may write to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.common.errors import ConfigurationError
from services.common.people import Mode, PersonKey, choose_key
from services.common.people.key import write_key
from services.common.people.record import Origin, latest_record
from services.common.settings import Settings
from services.common.store import Store
from services.common.store.migrate import load_migrations
from services.privacy.people import find_keys
from services.privacy.rotate import rotate
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.rows import insert_rows
from tests.support.store import fresh_campaign

NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of this module's own, which no ingest has touched."""
    from tests.support.clickhouse_http.endpoint import running_endpoint

    with running_endpoint(tmp_path_factory.mktemp("choice")) as endpoint:
        store = _migrated(endpoint)
        yield store
        store.close()


def _migrated(endpoint: Endpoint) -> Store:
    from services.common.store.migrate import migrate

    store = endpoint.store()
    migrate(store)
    return store


@pytest.fixture
def new(place: Store) -> Store:
    """A store that was never written to."""
    place.command("DROP TABLE person_names")
    (made,) = (each for each in load_migrations() if each.name == "person_names")
    for statement in made.statements:
        place.command(statement)
    for table in ("traffic_events", "campaigns", "ingest_progress"):
        place.command(f"TRUNCATE TABLE {table}")
    return place


@pytest.fixture
def key_file(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        if not path.exists():
            write_key(path, PersonKey.random())
        return path

    return make


def _visit(store: Store) -> None:
    moment = datetime(2026, 11, 11, tzinfo=UTC)
    event = {"event_id": "e", "event_name": "page_view", "event_time": moment, "campaign_id": fresh_campaign()}
    insert_rows(store, "traffic_events", [{**event, "user_id": "plain"}])


def test_the_default_is_a_key_in_the_store_and_a_loud_word(new: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        key = choose_key(new, Settings())
    assert key is not None
    assert "WARROOM_USER_KEY_FILE" in caplog.text
    assert choose_key(new, Settings()) == key
    record = latest_record(new)
    assert record is not None
    assert (record.mode, record.origin, record.fingerprint) == (Mode.HASHED, Origin.STORE, key.fingerprint)


def test_an_embedded_store_has_its_key_beside_it(new: Store, tmp_path: Path) -> None:
    settings = Settings(clickhouse_url=f"chdb://{tmp_path}/store")
    key = choose_key(new, settings)
    assert key is not None
    (file,) = (tmp_path / "store" / "user-keys").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert choose_key(new, settings) == key
    assert new.query("SELECT key FROM person_names") == [{"key": ""}]
    file.unlink()
    with pytest.raises(ConfigurationError, match=f"written with the key {key.fingerprint}, which is not here"):
        choose_key(new, settings)


def test_a_key_from_a_file_never_gets_into_the_store(new: Store, key_file: Callable[[str], Path]) -> None:
    settings = Settings(user_key_file=key_file("one"))
    key = choose_key(new, settings)
    assert key is not None
    assert choose_key(new, settings) == key
    assert new.query("SELECT key FROM person_names") == [{"key": ""}]


@pytest.mark.parametrize(
    ("first", "then", "sentence"),
    [
        ({"user_key_file": "one"}, {"user_key_file": "two"}, "holds the key"),
        ({"user_key_file": "one"}, {}, "which is not here"),
        ({"user_key_file": "one"}, {"user_ids": "plain"}, "WARROOM_USER_IDS=plain, but"),
        ({}, {"user_key_file": "two"}, "holds the key"),
        ({}, {"user_ids": "plain"}, "WARROOM_USER_IDS=plain, but"),
        ({"user_ids": "plain"}, {}, "set WARROOM_USER_IDS=plain"),
        ({"user_ids": "plain"}, {"user_key_file": "two"}, "set WARROOM_USER_IDS=plain"),
    ],
)
def test_another_way_is_refused_with_what_to_do(
    new: Store, key_file: Callable[[str], Path], first: dict[str, str], then: dict[str, str], sentence: str
) -> None:
    def settings(chosen: dict[str, Any]) -> Settings:
        given: dict[str, Any] = {name: key_file(value) if "file" in name else value for name, value in chosen.items()}
        return Settings(**given)

    choose_key(new, settings(first))
    with pytest.raises(ConfigurationError, match=sentence):
        choose_key(new, settings(then))
    choose_key(new, settings(first))


def test_of_ingests_that_start_at_once_one_chooses_the_key(new: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: choose_key(new, Settings()), range(8)))
    assert len(set(keys)) == 1
    assert new.query("SELECT count() AS rows FROM person_names") == [{"rows": 1}]


def test_a_store_of_before_stays_plain_until_somebody_says_so(
    new: Store, key_file: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    _visit(new)
    with caplog.at_level(logging.WARNING):
        assert choose_key(new, Settings()) is None
    assert "warroom privacy rotate" in caplog.text
    with pytest.raises(ConfigurationError, match="plain ids from before"):
        choose_key(new, Settings(user_key_file=key_file("one")))
    rotate(new, Settings(), lambda: NOW, to=key_file("one"))
    key = choose_key(new, Settings(user_key_file=key_file("one")))
    assert key is not None
    keys = find_keys(new, Settings(user_key_file=key_file("one")))
    # Rows of before are found by the id itself.
    assert keys.plain
    assert keys.keys == (key,)


def test_a_rotation_is_refused_while_ingest_or_a_campaign_runs(new: Store) -> None:
    choose_key(new, Settings())
    moment = f"fromUnixTimestamp64Milli({NOW - 5_000}, 'UTC')"
    new.command(f"INSERT INTO ingest_progress VALUES ('t', 0, 'traffic', 1, 1, {moment}, {moment})")
    with pytest.raises(ConfigurationError, match="stop every ingest"):
        rotate(new, Settings(), lambda: NOW, force=True)
    later = NOW + 60_000
    body = '{"name":"c","start":"2027-01-15T00:00:00+08:00","end":"2027-01-17T00:00:00+08:00"}'
    new.command(f"INSERT INTO campaigns VALUES ('festival', 1, '{body}', now64(3))")
    with pytest.raises(ConfigurationError, match="the campaign festival runs"):
        rotate(new, Settings(), lambda: later)
    assert rotate(new, Settings(), lambda: later, force=True).now.number == 2


def test_after_a_rotation_both_keys_find_people(new: Store, tmp_path: Path, key_file: Callable[[str], Path]) -> None:
    first = choose_key(new, Settings(user_key_file=key_file("one")))
    rotate(new, Settings(user_key_file=key_file("one")), lambda: NOW, to=key_file("two"))
    with pytest.raises(ConfigurationError, match="holds the key"):
        choose_key(new, Settings(user_key_file=key_file("one")))
    second = choose_key(new, Settings(user_key_file=key_file("two")))
    now = Settings(user_key_file=key_file("two"))
    assert first is not None
    assert find_keys(new, now).missing == (first.fingerprint,)
    assert find_keys(new, now, [key_file("one")]).keys == (second, first)
    with pytest.raises(ConfigurationError, match="was in force before"):
        rotate(new, now, lambda: NOW, to=key_file("one"))
