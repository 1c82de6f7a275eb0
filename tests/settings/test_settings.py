"""Settings: an unsafe combination must not start, and the sentence must say what to change."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.common.errors import ConfigurationError
from services.common.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WARROOM_MAX_BUFFERED_BYTES", "67108864", "WARROOM_BATCH_MAX_BYTES"),
        ("WARROOM_CURRENCY_RATES", '{"CNY": "2"}', "CNY"),
        ("WARROOM_CURRENCY_RATES", '{"USD": "0"}', "not positive"),
        ("WARROOM_CLICKHOUSE_URL", "postgres://x", "chdb:///DIR"),
        ("WARROOM_TOPIC_PREFIX", "a b", "WARROOM_TOPIC_PREFIX"),
        ("WARROOM_BATCH_MAX_ROWS", "many", "WARROOM_BATCH_MAX_ROWS"),
        ("WARROOM_LOG_LEVEL", "loud", "WARROOM_LOG_LEVEL"),
        ("WARROOM_REPORTING_CURRENCY", "yuan", "WARROOM_REPORTING_CURRENCY"),
    ],
)
def test_a_refusal_names_the_setting_and_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as refusal:
        load_settings()
    assert said in str(refusal.value)


def test_flags_win_over_the_environment_and_settings_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_HTTP_PORT", "9000")
    assert load_settings().http_port == 9000
    settings = load_settings(http_port=9001, http_host=None)
    assert settings.http_port == 9001
    assert settings.http_host == "127.0.0.1"
    with pytest.raises(ValidationError):
        settings.model_copy().__setattr__("http_port", 1)


def test_a_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_CLICKHOUSE_URL", "http://u:hunter2@host:8123/db")
    assert "hunter2" not in repr(load_settings())


def test_topics_follow_the_prefix() -> None:
    assert Settings(topic_prefix="x.").topics["dlq"] == "x.dlq"
