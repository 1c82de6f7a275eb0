"""Installations that are broken in one way each: the doctor says which, and what to do."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from services.common.settings import Settings
from tests.doctor.conftest import examine
from tests.support.broker import free_port
from tests.support.certificates import Authority
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint

Install = Callable[..., Settings]

ALWAYS = {
    "group: warroom-ingest has no members: nothing is read",
    "watermark: ingest has never written how far it has come",
    "receivers: nobody is told of alerts",
}
"""What is wrong with an installation on which nothing runs."""


def test_an_installation_in_order_lacks_only_what_does_not_run(installation: Install) -> None:
    installation()
    report = examine()
    assert set(report.bad()) == ALWAYS
    assert report.status == 1
    assert report.says("fail", "has no members")


def test_settings_that_are_refused_end_it_with_their_sentence(
    installation: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation(topics=False)
    monkeypatch.setenv("WARROOM_KAFKA_SASL_PASSWORD", "hunter2")
    report = examine()
    assert report.status == 1
    assert report.says("fail", "WARROOM_KAFKA_SASL_PASSWORD would not be used")


def test_a_secret_that_everybody_can_read(
    installation: Install, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installation()
    file = tmp_path / "url"
    file.write_text(clickhouse.url)
    file.chmod(0o644)
    monkeypatch.delenv("WARROOM_CLICKHOUSE_URL")
    monkeypatch.setenv("WARROOM_CLICKHOUSE_URL_FILE", str(file))
    report = examine()
    assert report.says("warn", f"WARROOM_CLICKHOUSE_URL_FILE: every user of this machine can read {file}")
    assert report.says("ok", "ClickHouse 26")


def test_a_broker_that_is_not_there(installation: Install) -> None:
    installation(topics=False, kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    report = examine()
    assert report.says("fail", "nothing listens there")
    assert report.says("ok", "are applied")


def test_topics_that_are_not_there_and_smaller_than_wanted(installation: Install) -> None:
    settings = installation(topics=False)
    report = examine()
    for topic in settings.topics.values():
        assert report.says("fail", f"{topic} does not exist")
    settings = installation(topic_partitions="1")
    again = installation(topics=False, topic_prefix=settings.topic_prefix, topic_partitions="6")
    assert examine().says("warn", f"{again.topics['orders']} has 1 partition(s), and WARROOM_TOPIC_PARTITIONS is 6")


def test_a_store_that_is_not_there(installation: Install) -> None:
    installation(clickhouse_url=f"http://warroom:hunter2@127.0.0.1:{free_port()}/default")
    report = examine()
    assert report.says("fail", "ClickHouse does not answer")
    assert report.says("ok", "lets us in")


def test_a_wrong_password(installation: Install, clickhouse: Endpoint) -> None:
    installation(clickhouse_url=clickhouse.url.replace("s3cret", "hunter2"))
    report = examine()
    assert [each for each in report.findings if "look at user and password" in str(each["remedy"])]


def test_a_store_that_is_stuck_holds_nobody_up(installation: Install, clickhouse: Endpoint) -> None:
    installation()
    clickhouse.fail("stall", on="(?s).*", seconds=600)
    try:
        began = time.monotonic()
        report = examine("--seconds", "3")
        took = time.monotonic() - began
    finally:
        clickhouse.heal()
    assert report.status == 1
    assert took < 200, "as long as the store is stuck"
    assert report.says("ok", "lets us in") or report.says("fail", "gave no answer within 3 s")
    stuck = {each["check"] for each in report.findings if each["verdict"] == "fail"}
    assert {"store", "schema", "rights", "room", "watermark"} <= stuck


def test_servers_that_take_a_connection_and_say_nothing_hold_nobody_up(installation: Install) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        port = silent.getsockname()[1]
        installation(
            topics=False,
            kafka_bootstrap_servers=f"127.0.0.1:{port}",
            clickhouse_url=f"http://u:hunter2@127.0.0.1:{port}/default",
            store_timeout_seconds="300",
        )
        began = time.monotonic()
        report = examine("--seconds", "2", "--url", f"http://127.0.0.1:{port}")
        assert time.monotonic() - began < 200
    stuck = {each["check"] for each in report.findings if each["verdict"] == "fail"}
    assert {"kafka", "store", "services"} <= stuck


def test_a_store_that_was_never_migrated(installation: Install, tmp_path: Path) -> None:
    with running_endpoint(tmp_path / "empty") as endpoint:
        installation(clickhouse_url=endpoint.url)
        report = examine()
    assert report.says("fail", "none was ever applied to this database")
    assert [each["remedy"] for each in report.findings if each["check"] == "migrations"] == ["run `warroom migrate`"]


def test_tables_that_were_changed_behind_its_back(installation: Install, own_endpoint: Endpoint) -> None:
    installation(clickhouse_url=own_endpoint.url)
    store = own_endpoint.store()
    try:
        store.command("DROP TABLE spend_by_minute")
        store.command("ALTER TABLE order_events MODIFY SETTING non_replicated_deduplication_window = 7")
        store.command("DELETE FROM schema_migrations WHERE version = 9")
        store.command("INSERT INTO schema_migrations (version, name, checksum) VALUES (900, 'later', '')")
        store.command(
            "INSERT INTO ingest_progress (topic, watermark, updated_at) "
            "SELECT 'x', now64(3), now64(3) + INTERVAL 90 SECOND"
        )
    finally:
        store.close()
    report = examine()
    assert report.says("fail", "spend_by_minute is gone, though the migration was applied")
    assert report.says("fail", "order_events remembers 7 blocks, fewer than 10000")
    remedies = [str(each["remedy"]) for each in report.findings]
    assert "ALTER TABLE order_events MODIFY SETTING non_replicated_deduplication_window = 10000" in remedies
    assert report.says("fail", "0009 not applied")
    assert report.says("warn", "the store has 0900, which this Warroom does not know")
    assert report.says("fail", "the clock of an ingest process is")


def test_numbers_that_are_old_and_letters(installation: Install, own_endpoint: Endpoint) -> None:
    settings = installation(clickhouse_url=own_endpoint.url)
    store = own_endpoint.store()
    topic = settings.topics["traffic"]
    try:
        store.command(
            "INSERT INTO ingest_progress (topic, watermark, updated_at) "
            "SELECT {topic:String}, now64(3) - INTERVAL 10 MINUTE, now64(3)",
            {"topic": topic},
        )
        store.command(
            "INSERT INTO dead_letters (arrived_at, topic, reason) SELECT now64(3), {topic:String}, 'invalid_json'",
            {"topic": topic},
        )
    finally:
        store.close()
    report = examine()
    assert report.says("fail", f"the numbers of {topic} are 60")
    assert report.says("warn", "1 records were refused within a day")


def test_a_full_disk(installation: Install, tmp_path: Path) -> None:
    with running_endpoint(tmp_path / "small", megabytes=64) as endpoint:
        endpoint.fill_disk()
        installation(clickhouse_url=endpoint.url)
        assert examine().says("fail", "0% of the disk default is free")


@pytest.mark.parametrize(
    ("days", "verdict", "said"),
    [(-1, "fail", "certificate has expired"), (9, "warn", "in 8 days"), (90, "ok", "lasts")],
)
def test_certificates_that_expire(installation: Install, tmp_path: Path, days: int, verdict: str, said: str) -> None:
    authority = Authority(tmp_path / "certificates", "authority")
    identity = authority.issue("server", days=days)
    with running_endpoint(tmp_path / "secure", identity=identity.both) as endpoint:
        installation(clickhouse_url=endpoint.url, clickhouse_ca_file=str(authority.file))
        assert examine().says(verdict, said)


class _Answers(BaseHTTPRequestHandler):
    """A receiver of alerts, or a service, that answers what it is told to."""

    status: ClassVar[dict[str, int]] = {}
    heard: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.heard.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        self._answer()

    def _answer(self) -> None:
        status = self.status.get(self.path, 200)
        if self.path == "/api/v1/campaigns" and self.headers.get("Authorization") == "Bearer good":
            status = 200
        body = json.dumps({"detail": "ingest: Kafka is away"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def answers() -> Iterator[tuple[str, type[_Answers]]]:
    """A server's address, and what it was told and heard."""
    handler = type("Answers", (_Answers,), {"status": {}, "heard": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    server.server_close()


def test_receivers_are_reached_and_told_only_when_that_is_wanted(
    installation: Install, answers: tuple[str, type[_Answers]]
) -> None:
    url, server = answers
    installation(alert_webhook_url=f"{url}/hunter2")
    assert examine().says("ok", "webhook can be reached; --send proves that it listens")
    assert server.heard == []
    assert examine("--send").says("ok", "webhook has taken a test alert")
    assert [json.loads(body)["status"] for body in server.heard] == ["firing", "resolved"]
    server.status["/hunter2"] = 404
    assert examine("--send").says("fail", "webhook did not take a test alert: firing: HTTP 404")


def test_receivers_that_cannot_be_told(installation: Install, tmp_path: Path) -> None:
    file = tmp_path / "receivers.yaml"
    file.write_text(f"receivers: [{{name: a, type: webhook, url: 'http://127.0.0.1:{free_port()}/hunter2'}}]")
    installation(receivers_file=str(file))
    assert examine().says("fail", "a cannot be reached: 127.0.0.1")
    file.write_text("receivers: [{name: a, type: pigeon}]")
    assert examine().says("fail", "receiver 'a'")


def test_services_that_are_not_ready_or_not_there(
    installation: Install, answers: tuple[str, type[_Answers]], tmp_path: Path
) -> None:
    url, server = answers
    installation()
    away = f"http://127.0.0.1:{free_port()}"
    report = examine("--url", url, "--url", away)
    assert report.says("ok", f"{url} is ready")
    assert report.says("fail", f"{away} does not answer")
    server.status.update({"/readyz": 503, "/api/v1/campaigns": 401})
    report = examine("--url", url)
    assert report.says("fail", f"{url} is not ready: ingest: Kafka is away")
    assert report.says("ok", f"{url} asks who one is")
    key = tmp_path / "key"
    for text, verdict, said in (("good", "ok", "and takes the key"), ("hunter2", "fail", "does not take the API key")):
        key.write_text(text + "\n")
        assert examine("--url", url, "--api-key-file", str(key)).says(verdict, said)


def test_an_embedded_store_is_left_to_its_process(installation: Install, tmp_path: Path) -> None:
    installation(clickhouse_url=f"chdb://{tmp_path}/store")
    report = examine()
    assert report.says("skipped", "it is embedded and belongs to the process that runs it; ask that one with --url")
    assert not (tmp_path / "store").exists()


def test_words_for_people(installation: Install) -> None:
    from click.testing import CliRunner

    from services.cli import warroom

    installation()
    done = CliRunner().invoke(warroom, ["doctor"])
    assert "fail     group: warroom-ingest has no members: nothing is read" in done.stdout
    assert "         -> start `warroom ingest`" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("2 warn, 1 fail")


def test_keys_that_let_nobody_in(installation: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation()
    file = tmp_path / "keys.yaml"
    file.write_text("keys: []")
    monkeypatch.setenv("WARROOM_API_KEYS_FILE", str(file))
    report = examine()
    assert report.says("fail", "no API key is valid: nobody is let in")
    assert report.says("warn", "each process makes up the key of its sessions")
    file.write_text("keys: 7")
    assert examine().says("fail", f"WARROOM_API_KEYS_FILE {file} keys")
