"""ClickHouse over HTTPS: only the right certificate is spoken to, and no error names the password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.common.errors import ConfigurationError, StoreUnavailable
from services.common.settings import Settings, load_settings
from services.common.store.clickhouse import store_of
from tests.support.certificates import Authority
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates of this module."""
    return Authority(tmp_path_factory.mktemp("certificates"), "authority")


@pytest.fixture(scope="module")
def secure(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A server with a right certificate."""
    with running_endpoint(tmp_path_factory.mktemp("secure"), identity=authority.issue("server").both) as endpoint:
        yield endpoint


def _settings(endpoint: Endpoint, **files: Path) -> Settings:
    return load_settings(clickhouse_url=SecretStr(endpoint.url), store_timeout_seconds=5, **files)


def _ask(settings: Settings) -> int:
    store = store_of(settings)
    try:
        return int(store.query("SELECT 41 + 1 AS answer")[0]["answer"])
    finally:
        store.close()


def test_a_server_with_the_right_certificate_answers(secure: Endpoint, authority: Authority) -> None:
    assert _ask(_settings(secure, clickhouse_ca_file=authority.file)) == 42


def test_a_stranger_s_certificate_is_refused(secure: Endpoint, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    before = secure.state()["requests"]
    for files in ({"clickhouse_ca_file": stranger.file}, {}):
        with pytest.raises(StoreUnavailable, match="certificate verify failed") as refusal:
            _ask(_settings(secure, **files))
        assert "s3cret" not in str(refusal.value)
    # The password was not told either: nothing was asked at all.
    assert secure.state()["requests"] == before


@pytest.mark.parametrize(
    ("hosts", "days", "said"),
    [(("clickhouse.example",), None, "is not valid for '127.0.0.1'"), ((), -1, "certificate has expired")],
)
def test_a_wrong_name_and_an_old_certificate_are_refused(
    authority: Authority, tmp_path: Path, hosts: tuple[str, ...], days: int | None, said: str
) -> None:
    identity = authority.issue("wrong", *hosts, days=days)
    with running_endpoint(tmp_path / "endpoint", identity=identity.both) as endpoint:
        with pytest.raises(StoreUnavailable, match=said):
            _ask(_settings(endpoint, clickhouse_ca_file=authority.file))
        assert endpoint.state()["requests"] == 0


def test_a_client_shows_its_certificate(authority: Authority, tmp_path: Path) -> None:
    ours = authority.issue("ours")
    stranger = Authority(tmp_path, "stranger").issue("theirs")
    with running_endpoint(
        tmp_path / "endpoint", identity=authority.issue("server").both, client_ca=authority.file
    ) as endpoint:
        for known in (
            {"clickhouse_cert_file": ours.certificate, "clickhouse_key_file": ours.key},
            {"clickhouse_cert_file": ours.both},
        ):
            assert _ask(_settings(endpoint, clickhouse_ca_file=authority.file, **known)) == 42
        unknown = {"clickhouse_cert_file": stranger.certificate, "clickhouse_key_file": stranger.key}
        for files in ({}, unknown):
            with pytest.raises(StoreUnavailable):
                _ask(_settings(endpoint, clickhouse_ca_file=authority.file, **files))
        with pytest.raises(ConfigurationError, match="does not belong to the certificate"):
            _settings(endpoint, clickhouse_cert_file=ours.certificate, clickhouse_key_file=stranger.key)


def test_plain_http_to_a_server_of_https_is_not_taken_for_an_answer(secure: Endpoint) -> None:
    settings = load_settings(clickhouse_url=SecretStr(secure.url.replace("https", "http")), store_timeout_seconds=5)
    with pytest.raises(StoreUnavailable):
        _ask(settings)
