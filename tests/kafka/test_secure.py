"""Ingest and its tools on a Kafka that asks who they are: in with the right password, out with a sentence otherwise."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError
from pydantic import SecretStr

from services.common.errors import BrokerError
from services.common.kafka import consumer_client, ensure_topics
from services.common.letters.place import Place
from services.common.letters.transaction import Dispatch, Message
from services.common.settings import Settings
from tests.doctor.conftest import examine
from tests.kafka.fleet import WARROOM
from tests.support.broker import free_port
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.secure_kafka import PASSWORD, USER, SecureKafka, running_secure_kafka
from tests.support.waiting import until

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """The module's broker."""
    with running_secure_kafka(tmp_path_factory.mktemp("secure-kafka")) as kafka:
        yield kafka


def _settings(kafka: SecureKafka, listener: str, **given: object) -> Settings:
    usual: dict[str, object] = {
        "kafka_bootstrap_servers": kafka.servers(listener),
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_username": USER,
        "kafka_sasl_password": SecretStr(PASSWORD),
        "kafka_ssl_ca_file": kafka.authority.file,
        "topic_prefix": f"{listener}-{free_port()}.",
        "topic_partitions": 2,
    }
    return Settings.model_validate({**usual, **given})


def _without(*fields: str) -> dict[str, object]:
    return dict.fromkeys(fields)


_NO_SASL = _without("kafka_sasl_username", "kafka_sasl_password")


def _ways_in(kafka: SecureKafka) -> list[Settings]:
    return [
        _settings(kafka, "scram"),
        _settings(kafka, "scram", kafka_sasl_mechanism="SCRAM-SHA-256"),
        _settings(kafka, "plain", kafka_sasl_mechanism="PLAIN"),
        _settings(
            kafka,
            "mutual",
            kafka_security_protocol="SSL",
            kafka_ssl_cert_file=kafka.client.certificate,
            kafka_ssl_key_file=kafka.client.key,
            **_NO_SASL,
        ),
        _settings(kafka, "clear", kafka_security_protocol="SASL_PLAINTEXT", kafka_ssl_ca_file=None),
    ]


async def test_each_right_way_in_creates_topics_and_carries_a_transaction(secure: SecureKafka) -> None:
    for settings in _ways_in(secure):
        assert sorted(await ensure_topics(settings)) == sorted(settings.topics.values())
        dispatch = await _opened(settings)
        try:
            await dispatch.send([Message(Place(settings.topics["orders"], 0, 0), b"key", b"value")])
            await dispatch.commit("batch")
        finally:
            await dispatch.close()
        consumer = consumer_client(settings, auto_offset_reset="earliest", isolation_level="read_committed")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(settings.topics["orders"], 0)])
            assert (await consumer.getone()).value == b"value"
        finally:
            await consumer.stop()


async def _opened(settings: Settings) -> Dispatch:
    """Tried for a while: a broker that is new has no groups yet, and makes their topic when the first one asks."""
    async with asyncio.timeout(60):
        while True:
            dispatch = Dispatch(settings)
            try:
                await dispatch.open()
            except BrokerError as error:
                await dispatch.close()
                if not isinstance(error.__cause__, GroupCoordinatorNotAvailableError):
                    raise
                await asyncio.sleep(0.2)
            else:
                return dispatch


def _ways_out(kafka: SecureKafka) -> list[tuple[Settings, str]]:
    return [
        (
            _settings(kafka, "scram", kafka_sasl_password=SecretStr("hunter2")),
            "it refuses the user warroom or the password (SCRAM-SHA-512)",
        ),
        (
            _settings(kafka, "plain", kafka_sasl_password=SecretStr("hunter2"), kafka_sasl_mechanism="PLAIN"),
            "it refuses the user warroom or the password (PLAIN)",
        ),
        (_settings(kafka, "scram", kafka_sasl_username="nobody"), "it refuses the user nobody"),
        (_settings(kafka, "plain"), "it does not take SCRAM-SHA-512; look at WARROOM_KAFKA_SASL_MECHANISM"),
        (
            _settings(kafka, "scram", kafka_ssl_ca_file=kafka.stranger.file),
            "its certificate is not accepted: unable to get local issuer certificate; WARROOM_KAFKA_SSL_CA_FILE",
        ),
        (
            _settings(kafka, "elsewhere"),
            "certificate is not valid for '127.0.0.1'.; WARROOM_KAFKA_BOOTSTRAP_SERVERS must use a name",
        ),
        (_settings(kafka, "expired"), "certificate has expired; the broker needs a new one"),
        (
            _settings(kafka, "scram", kafka_security_protocol="PLAINTEXT", kafka_ssl_ca_file=None, **_NO_SASL),
            "expects something other than PLAINTEXT",
        ),
        (
            _settings(kafka, "scram", kafka_security_protocol="SSL", **_NO_SASL),
            "expects something other than SSL",
        ),
        (_settings(kafka, "clear"), "WARROOM_KAFKA_SECURITY_PROTOCOL"),
        (
            _settings(kafka, "mutual", kafka_security_protocol="SSL", **_NO_SASL),
            "or a client certificate; look at WARROOM_KAFKA_SECURITY_PROTOCOL",
        ),
        (_settings(kafka, "scram", kafka_bootstrap_servers=f"127.0.0.1:{free_port()}"), "nothing listens there"),
    ]


async def test_each_wrong_way_in_is_refused_with_a_sentence(
    secure: SecureKafka, caplog: pytest.LogCaptureFixture
) -> None:
    for settings, said in _ways_out(secure):
        with pytest.raises(BrokerError) as refusal:
            await ensure_topics(settings)
        assert said in str(refusal.value)
        for secret in (PASSWORD, "hunter2"):
            assert secret not in str(refusal.value) + caplog.text


def _environment(settings: Settings, **more: str) -> dict[str, str]:
    given = settings.model_dump(exclude_unset=True)
    told = {f"WARROOM_{name.upper()}": str(value) for name, value in given.items() if value is not None}
    for name in ("kafka_sasl_password", "clickhouse_url"):
        secret = given.get(name)
        if isinstance(secret, SecretStr):
            told[f"WARROOM_{name.upper()}"] = secret.get_secret_value()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    return {**clean, **told, **more}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the test's ingest writes its log."""
    return tmp_path / "ingest.log"


class _Ingest:
    """A `warroom ingest` of a test."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.port = free_port()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [WARROOM, "ingest", "--http-port", str(self.port)], env=env, stdout=output, stderr=output
            )

    def state(self) -> str:
        assert self.process.poll() is None, f"status {self.process.returncode}"
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
        except httpx.TransportError:
            return ""
        return "ready" if answer.status_code == 200 else answer.text

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def __enter__(self) -> _Ingest:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)


async def test_events_travel_from_the_simulator_to_the_tables_by_a_password_of_a_file(
    secure: SecureKafka, own_endpoint: Endpoint, tmp_path: Path, log: Path
) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    settings = _settings(
        secure, "scram", clickhouse_url=SecretStr(own_endpoint.url), kafka_sasl_password=None, kafka_sasl_username=None,
        kafka_security_protocol="SSL",
    )  # fmt: skip
    env = _environment(
        settings,
        WARROOM_KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        WARROOM_KAFKA_SASL_USERNAME=USER,
        WARROOM_KAFKA_SASL_PASSWORD_FILE=str(password),
    )
    with _Ingest(env, log) as ingest:
        await until(lambda: ingest.state() == "ready", seconds=200)
        _run(env, "simulate", "--no-campaign", "--history", "2m", "--duration", "0")
        store = own_endpoint.store()
        try:
            await until(lambda: store.query("SELECT count() AS events FROM traffic_events")[0]["events"] > 100)
        finally:
            store.close()
        assert ingest.stop() == 0
    _run(env, "audit", "--kafka")
    assert not [line for line in _lines(log) if PASSWORD in line]


async def test_ingest_keeps_trying_and_says_why(secure: SecureKafka, own_endpoint: Endpoint, log: Path) -> None:
    wrong = _settings(
        secure, "scram", kafka_sasl_password=SecretStr("hunter2"), clickhouse_url=SecretStr(own_endpoint.url)
    )
    with _Ingest(_environment(wrong), log) as ingest:
        await until(lambda: "it refuses the user warroom or the password" in ingest.state(), seconds=200)
        said = "it refuses the user warroom"
        await until(lambda: sum(said in line and '"level": "warning"' in line for line in _lines(log)) >= 2)
        assert ingest.stop() == 0
    assert not [line for line in _lines(log) if "hunter2" in line]


def test_the_doctor_says_who_is_not_let_in_and_how_long_certificates_last(
    secure: SecureKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        (_settings(secure, "scram"), "ok", "lets us in"),
        (_settings(secure, "scram"), "ok", "that of Kafka at 127.0.0.1 lasts until"),
        (_settings(secure, "scram"), "ok", "that of WARROOM_KAFKA_SSL_CA_FILE lasts until"),
        (_settings(secure, "scram", kafka_sasl_password=SecretStr("hunter2")), "fail", "it refuses the user warroom"),
        (_settings(secure, "expired"), "fail", "Kafka at 127.0.0.1: its certificate is not accepted: certificate has"),
        (_settings(secure, "elsewhere"), "fail", "certificate is not valid for '127.0.0.1'"),
    ]
    for settings, verdict, said in cases:
        for name, value in _environment(settings).items():
            if name.startswith("WARROOM_"):
                monkeypatch.setenv(name, value)
        assert examine(secrets=(PASSWORD, "hunter2")).says(verdict, said), said


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


def _run(env: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([WARROOM, *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    assert PASSWORD not in done.stdout + done.stderr
