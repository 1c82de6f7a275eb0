"""An installation to break: the embedded broker, a ClickHouse over HTTP, and the doctor's command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from services.cli import warroom
from services.common.kafka import ensure_topics
from services.common.settings import Settings, load_settings
from services.common.store.migrate import migrate
from tests.support.broker import Broker, unique
from tests.support.clickhouse_http.endpoint import Endpoint, running_endpoint

SECRETS = ("hunter2", "s3cret")


@dataclass(frozen=True)
class Report:
    """What the doctor said, and its exit status."""

    status: int
    findings: list[dict[str, Any]]

    def bad(self) -> list[str]:
        """Sentences that are not well, with their check."""
        return [f"{each['check']}: {each['sentence']}" for each in self.findings if each["verdict"] in ("warn", "fail")]

    def says(self, verdict: str, sentence: str) -> bool:
        """Whether a finding of that verdict holds the sentence, and says what to do if it is bad."""
        found = [each for each in self.findings if sentence in each["sentence"] and each["verdict"] == verdict]
        return bool(found) and all(each["remedy"] for each in found if verdict in ("warn", "fail"))


def examine(*options: str, secrets: tuple[str, ...] = SECRETS) -> Report:
    """Runs the command in this process, in this environment. Fails when a secret is printed."""
    done = CliRunner().invoke(warroom, ["doctor", "--json", *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    for secret in secrets:
        assert secret not in done.output
    return Report(done.exit_code, json.loads(done.stdout)["findings"])


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A ClickHouse for tests that put it right again."""
    with running_endpoint(tmp_path_factory.mktemp("clickhouse")) as endpoint:
        store = endpoint.store()
        migrate(store)
        store.close()
        yield endpoint


@pytest.fixture
def installation(
    embedded_broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Settings]:
    """Sets the environment, with more settings or others, and makes the topics."""

    def install(*, topics: bool = True, **given: str) -> Settings:
        usual = {
            "kafka_bootstrap_servers": embedded_broker.bootstrap_servers,
            "clickhouse_url": clickhouse.url,
            "topic_prefix": unique("doctor") + ".",
            "topic_partitions": "1",
        }
        for name, value in {**usual, **given}.items():
            monkeypatch.setenv(f"WARROOM_{name.upper()}", value)
        settings = load_settings()
        if topics:
            asyncio.run(ensure_topics(settings))
        return settings

    return install
