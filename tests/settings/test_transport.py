"""How servers are reached: what may not start, what is warned of, and secrets out of files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common import logs, transport
from services.common.errors import ConfigurationError
from services.common.kafka.clients import security
from services.common.secret_files import read_secret
from services.common.settings import Settings, load_settings
from tests.support.certificates import Authority

SASL = {"KAFKA_SASL_USERNAME": "warroom", "KAFKA_SASL_PASSWORD": "hunter2"}


def _set(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"WARROOM_{name}", value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "WARROOM_KAFKA_SECURITY_PROTOCOL: Input should be"),
        ({"KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, "WARROOM_KAFKA_SASL_MECHANISM: Input should be"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "set WARROOM_KAFKA_SASL_USERNAME"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "warroom"},
            "set WARROOM_KAFKA_SASL_PASSWORD",
        ),
        ({**SASL}, "WARROOM_KAFKA_SASL_PASSWORD would not be used: set WARROOM_KAFKA_SECURITY_PROTOCOL to SASL_SSL"),
        (
            {
                **SASL,
                "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "KAFKA_SASL_MECHANISM": "PLAIN",
                "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092,kafka-1:9092",
            },
            "would send the password to kafka-1 in the clear; set it to SASL_SSL",
        ),
        ({"KAFKA_SSL_CA_FILE": "/ca.pem"}, "WARROOM_KAFKA_SSL_CA_FILE would not be used"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEY_FILE": "/key.pem"},
            "WARROOM_KAFKA_SSL_KEY_FILE needs the certificate",
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_FILE": "/no/ca.pem"}, "/no/ca.pem cannot be read: No such"),
        (
            {"CLICKHOUSE_URL": "http://u:hunter2@db:8123/w", "CLICKHOUSE_CA_FILE": "/ca.pem"},
            "WARROOM_CLICKHOUSE_CA_FILE would not be used: write https://",
        ),
        (
            {"CLICKHOUSE_URL": "https://u:hunter2@db:8443/w", "CLICKHOUSE_KEY_FILE": "/key.pem"},
            "WARROOM_CLICKHOUSE_KEY_FILE needs the certificate",
        ),
        (
            {"CLICKHOUSE_URL": "http://u:hunter2@93.184.216.34:8123/w"},
            "would send its password to 93.184.216.34, an address of the public internet",
        ),
        (
            {"CLICKHOUSE_URL": "http://u:hunter2@h/w", "CLICKHOUSE_URL_FILE": "/run/secrets/url"},
            "WARROOM_CLICKHOUSE_URL and WARROOM_CLICKHOUSE_URL_FILE are both set",
        ),
        ({"KAFKA_SASL_PASSWORD_FILE": "/no/password"}, "WARROOM_KAFKA_SASL_PASSWORD_FILE: /no/password cannot be read"),
    ],
)
def test_what_can_only_be_a_mistake_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    _set(monkeypatch, given)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings()
    assert said in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092"}, "events travel to and from Kafka at kafka-1 in the clear"),
        (
            {
                **SASL,
                "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092",
            },
            "events travel to and from Kafka at kafka-1 in the clear",
        ),
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092", "KAFKA_SECURITY_PROTOCOL": "SSL"},
            "Kafka at kafka-1 is not told who we are",
        ),
        (
            {"CLICKHOUSE_URL": "http://u:hunter2@host:8123/db"},
            "the password of ClickHouse travels to host in the clear",
        ),
        ({"CLICKHOUSE_URL": "http://u:hunter2@10.1.2.3:8123/db"}, "travels to 10.1.2.3 in the clear"),
    ],
)
def test_what_a_private_network_may_allow_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    _set(monkeypatch, given)
    lines = _logged_at_start()
    assert [line for line in lines if said in line["caution"]]
    assert "hunter2" not in json.dumps(lines)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:19092,localhost:19093,[::1]:19094"},
        {"CLICKHOUSE_URL": "http://u:p@127.0.0.1:8123/db"},
        {"CLICKHOUSE_URL": "http://db:8123/w"},
        {"CLICKHOUSE_URL": "https://u:p@db:8443/w"},
        {"CLICKHOUSE_URL": "chdb:///tmp/x"},
        {**SASL, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9093"},
        {**SASL, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"},
    ],
)
def test_what_is_safe_is_not_warned_of(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    _set(monkeypatch, given)
    assert _logged_at_start() == []


def test_a_secret_of_a_file_is_as_good_as_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = {
        "CLICKHOUSE_URL": "https://u:hunter2@db:8443/w",
        "KAFKA_SASL_PASSWORD": " with spaces and ümlauts ",
        "ALERT_WEBHOOK_URL": "https://hooks.example/hunter2",
    }
    for name, value in secrets.items():
        file = tmp_path / name
        file.write_text(value + "\n")
        file.chmod(0o600)
        monkeypatch.setenv(f"WARROOM_{name}_FILE", str(file))
    _set(monkeypatch, {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "warroom"})
    settings = load_settings()
    for name, value in secrets.items():
        assert getattr(settings, name.lower()).get_secret_value() == value
    assert "hunter2" not in repr(settings)
    assert _logged_at_start() == []
    (tmp_path / "CLICKHOUSE_URL").chmod(0o604)
    (line,) = _logged_at_start()
    assert line["caution"].startswith("WARROOM_CLICKHOUSE_URL_FILE: every user of this machine can read")


def test_what_is_refused_of_a_file_is_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgres://u:hunter2@db/w")
    monkeypatch.setenv("WARROOM_CLICKHOUSE_URL_FILE", str(file))
    with pytest.raises(ConfigurationError, match="WARROOM_CLICKHOUSE_URL must be") as refusal:
        load_settings()
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "no text"), (b"x" * 70_000, "larger")]
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        read_secret("WARROOM_X_FILE", file)


def test_certificates_are_looked_at_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    ours, others = authority.issue("ours"), authority.issue("others")
    _set(
        monkeypatch,
        {
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA_FILE": str(authority.file),
            "KAFKA_SSL_CERT_FILE": str(ours.certificate),
            "KAFKA_SSL_KEY_FILE": str(ours.key),
        },
    )
    load_settings()
    assert _logged_at_start() == []
    ours.key.chmod(0o644)
    (line,) = _logged_at_start()
    assert line["caution"].startswith("WARROOM_KAFKA_SSL_KEY_FILE: every user of this machine can read")
    monkeypatch.setenv("WARROOM_KAFKA_SSL_KEY_FILE", str(others.key))
    with pytest.raises(ConfigurationError, match="does not belong to the certificate"):
        load_settings()
    monkeypatch.setenv("WARROOM_KAFKA_SSL_KEY_FILE", str(authority.file))
    with pytest.raises(ConfigurationError, match="not both there in PEM form"):
        load_settings()
    monkeypatch.setenv("WARROOM_KAFKA_SSL_CA_FILE", str(ours.key))
    with pytest.raises(ConfigurationError, match="holds no certificate"):
        load_settings()


def test_a_client_that_is_made_later_believes_the_authority_of_then(tmp_path: Path) -> None:
    first, second = Authority(tmp_path / "first", "authority"), Authority(tmp_path / "second", "authority")
    settings = Settings(kafka_security_protocol="SSL", kafka_ssl_ca_file=first.file)
    before = security(settings)["ssl_context"].get_ca_certs(binary_form=True)
    first.file.write_bytes(second.file.read_bytes())
    after = security(settings)["ssl_context"].get_ca_certs(binary_form=True)
    assert len(before) == len(after) == 1
    assert before != after


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    authority = Authority(tmp_path, "authority")
    ours = authority.issue("ours")
    key = serialization.load_pem_private_key(ours.key.read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )
    monkeypatch.setenv("WARROOM_KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("WARROOM_KAFKA_SSL_CERT_FILE", str(ours.certificate))
    monkeypatch.setenv("WARROOM_KAFKA_SSL_KEY_FILE", str(locked))
    with pytest.raises(ConfigurationError, match="is encrypted"):
        load_settings()


@given(
    protocol=st.sampled_from(["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]),
    mechanism=st.sampled_from(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
    hosts=st.lists(
        st.sampled_from(["127.0.0.1", "[::1]", "localhost", "10.0.0.7", "kafka-1", "[fd00::1]"]), min_size=1
    ),
)
def test_no_password_ever_crosses_a_network_in_the_clear(protocol: str, mechanism: str, hosts: list[str]) -> None:
    sasl = protocol.startswith("SASL")
    try:
        settings = Settings.model_validate(
            {
                "kafka_bootstrap_servers": ",".join(f"{host}:9092" for host in hosts),
                "kafka_security_protocol": protocol,
                "kafka_sasl_mechanism": mechanism,
                "kafka_sasl_username": "u" if sasl else None,
                "kafka_sasl_password": "p" if sasl else None,
            }
        )
    except ValueError:
        refused = True
    else:
        refused = False
        assert len(transport.kafka_servers(settings)) == len(hosts)
    leaves = any(host in ("10.0.0.7", "kafka-1", "[fd00::1]") for host in hosts)
    assert refused == (protocol == "SASL_PLAINTEXT" and mechanism == "PLAIN" and leaves)


def _logged_at_start() -> list[dict[str, str]]:
    """The warnings that a process logs as soon as it has read its settings."""
    stream = io.StringIO()
    load_settings()
    logs.configure_logs("INFO", stream)
    return [json.loads(line) for line in stream.getvalue().splitlines()]
