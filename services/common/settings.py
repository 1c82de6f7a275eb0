"""Every setting: read once from `WARROOM_*` environment variables, validated, frozen."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from services.common import retention, transport
from services.common.access.claims import RoleRule
from services.common.errors import ConfigurationError
from services.common.logs import warn_later
from services.common.secret_files import SecretFiles, secret_files


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
"""Names with commas between them."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

MOST_SESSION_HOURS = 720


class Settings(BaseSettings):
    """One process's configuration.

    Raises `ConfigurationError` through `load_settings`; construct directly only in tests.
    """

    model_config = SettingsConfigDict(env_prefix="WARROOM_", frozen=True, extra="ignore")

    # Kafka
    kafka_bootstrap_servers: str | None = Field(
        None, description="host:port[,host:port]; unset in `standalone` starts the embedded broker"
    )
    topic_prefix: str = Field("campaign.", pattern=r"^[A-Za-z0-9._-]{1,100}$", description="prefix of the six topics")
    topic_partitions: int = Field(4, ge=1, le=1000, description="partitions of topics that Warroom creates")
    topic_replication_factor: int = Field(1, ge=1, le=10, description="replicas of topics that Warroom creates")
    consumer_group: str = Field(
        "warroom-ingest", min_length=1, description="Kafka consumer group of the ingest service"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="as Kafka's `security.protocol`; SSL verifies certificate and host name; docs/kafka.md"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_sasl_username: str | None = Field(None, min_length=1, description="who we are to Kafka")
    kafka_sasl_password: SecretStr | None = Field(None, min_length=1, description="and the proof")
    kafka_ssl_ca_file: Path | None = Field(None, description="PEM: authorities believed instead of the system's")
    kafka_ssl_cert_file: Path | None = Field(None, description="PEM: certificate shown to Kafka, with its chain")
    kafka_ssl_key_file: Path | None = Field(None, description="PEM: its key, unless that stands in the same file")

    # Store
    clickhouse_url: SecretStr | None = Field(None, description="`chdb:///DIR` or `http(s)://user:pass@host:8123/db`")
    clickhouse_cluster: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,100}$",
        description="name of a cluster in `remote_servers`; docs/clickhouse.md",
    )
    clickhouse_ca_file: Path | None = Field(None, description="PEM: authorities believed for https, not the system's")
    clickhouse_cert_file: Path | None = Field(None, description="PEM: certificate shown to ClickHouse, with its chain")
    clickhouse_key_file: Path | None = Field(None, description="PEM: the key of that, unless in the same file")
    retention_days: dict[str, int] = Field(
        default_factory=dict,
        description='JSON object of days by table, e.g. {"traffic_events": 90}; others keep all; docs/clickhouse.md',
    )
    storage_policy: str | None = Field(
        None, pattern=r"^\w{1,100}$", description="storage policy of the tables that grow; docs/clickhouse.md"
    )
    cold_after_days: int | None = Field(
        None, ge=1, description="days after which its volume `cold` has them; unset moves nothing"
    )
    store_timeout_seconds: float = Field(30.0, gt=0, description="limit of one call to ClickHouse")

    # Ingest
    batch_max_rows: int = Field(100_000, ge=1, le=1_000_000, description="a block is written at this many records")
    batch_max_bytes: int = Field(64 << 20, ge=1 << 10, description="or at this many bytes of records")
    batch_max_age_ms: int = Field(400, ge=10, le=60_000, description="or when its first record has waited this long")
    max_buffered_bytes: int = Field(256 << 20, ge=1 << 20, description="beyond this partitions are paused")
    duplicate_horizon_hours: int = Field(24, ge=1, description="how long an event_id is remembered, by arrival")
    duplicate_filter_mb: int = Field(64, ge=1, description="memory for them in each process; see docs/architecture.md")

    # Money
    reporting_currency: Currency = Field("CNY", description="ISO 4217; amounts are reported in it")
    currency_rates: dict[Currency, Decimal] = Field(
        default_factory=dict,
        description='JSON object of rates into the reporting currency, e.g. {"USD": "7.1"}',
    )

    brushing_orders_per_hour: int = Field(
        10, ge=2, description="paid orders of one buyer or device in a clock hour that put them under suspicion"
    )

    # People
    user_ids: Literal["hashed", "plain"] = Field(
        "hashed", description="`plain` stores the ids of people as they are sent; docs/privacy.md"
    )
    user_key_file: Path | None = Field(
        None, description="key that ids are hashed with, 32 random bytes or more; unset makes one; docs/privacy.md"
    )

    # HTTP
    http_host: str = Field("127.0.0.1", description="address that the HTTP services bind")
    http_port: int = Field(8080, ge=1, le=65535, description="port of a service started by itself")
    allowed_hosts: Names = Field(
        (),
        description="further names, with commas, that HTTP answers to; on loopback also its own and the external URL's",
    )
    trusted_proxies: Names = Field(
        ("127.0.0.1", "::1"), description="addresses or networks whose `X-Forwarded-For` and `-Proto` are believed"
    )
    http_body_bytes: int = Field(1 << 20, ge=1 << 10, le=64 << 20, description="a request's body may have so many")
    http_answer_seconds: float = Field(60.0, gt=0, description="an answer has to begin within this time")
    http_requests_per_minute: int = Field(300_000, ge=0, description="of all clients; 0 is no limit")
    http_client_requests_per_minute: int = Field(60_000, ge=0, description="of one address; 0 is no limit")
    http_client_changes_per_minute: int = Field(
        6_000, ge=0, description="POST, PUT and DELETE of one address; 0 is no limit"
    )
    http_connections: int = Field(10_000, ge=1, description="open at a time; a viewer of the wall holds one")
    http_client_connections: int = Field(
        6_000, ge=1, description="open at a time from one address that is no trusted proxy"
    )

    # Access
    api_keys_file: Path | None = Field(
        None, description="YAML: the API keys that are let in, as `warroom keys` writes it; docs/access.md"
    )
    oidc_issuer: str | None = Field(None, description="address of the OpenID provider whose people are let in")
    oidc_audience: str | None = Field(
        None, description="audience of the provider's access tokens that are let in; unset lets in none"
    )
    oidc_client_id: str | None = Field(
        None, description="name of Warroom at the provider; unset offers no sign-in by it"
    )
    oidc_client_secret_file: Path | None = Field(
        None, description="holds the secret of that client; unset is a public client"
    )
    oidc_roles: tuple[RoleRule, ...] = Field(
        (), description="JSON list: which claim gives which role, for which campaigns; docs/access.md"
    )
    oidc_name_claim: str = Field("preferred_username", description="claim that is shown as a person's name")
    session_key_file: Path | None = Field(
        None, description="keys that sign sessions, a line each, the newest first; unset makes one up at each start"
    )
    session_hours: int = Field(12, ge=1, le=MOST_SESSION_HOURS, description="a person signs in again after so long")
    api_key_file: Path | None = Field(
        None, description="holds the API key that commands show to a Warroom that asks for one"
    )

    # Alerts
    rules_file: Path | None = Field(
        None, description="YAML rules, a file or a folder; unset uses those that ship with Warroom; docs/rules.md"
    )
    receivers_file: Path | None = Field(None, description="YAML: who is told of which alerts; docs/receivers.md")
    alert_webhook_url: SecretStr | None = Field(None, description="receives every firing and resolved transition")
    alert_webhook_secret: SecretStr | None = Field(
        None, min_length=16, description="signs what is sent to that address; docs/receivers.md"
    )
    external_url: str = Field("http://127.0.0.1:8080", description="how people reach this Warroom; used in links")
    alerts_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@?#]+/?$",
        description="where `warroom metrics` reaches `warroom alerts` for the review; unset is the external URL",
    )

    # Rehearsals
    rehearsals_dir: Path | None = Field(
        None, description="folder of scorecards of `warroom rehearse --out`, shown at /rehearsal; docs/rehearsal.md"
    )

    # Audit
    audit_every_seconds: int = Field(0, ge=0, description="what arrived today is audited this often; 0 is never")

    # Traces
    traces_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="OTLP/HTTP receiver of traces, `http(s)://host:port[/path]`; unset sends none; docs/tracing.md",
    )
    traces_ratio: float = Field(
        0.01,
        ge=0,
        le=1,
        description="share of requests, looks and blocks traced; the block of a traced record always is",
    )

    # Logs
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level that is logged")

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if self.max_buffered_bytes < 2 * self.batch_max_bytes:
            raise ValueError(
                "WARROOM_MAX_BUFFERED_BYTES must be at least twice WARROOM_BATCH_MAX_BYTES, "
                "or ingest stalls while one block is being written; raise it or lower the batch"
            )
        if self.reporting_currency in self.currency_rates:
            raise ValueError(
                f"WARROOM_CURRENCY_RATES names the reporting currency {self.reporting_currency}; "
                "its rate is always 1, remove it"
            )
        if any(rate <= 0 for rate in self.currency_rates.values()):
            raise ValueError("WARROOM_CURRENCY_RATES holds a rate that is not positive; correct or remove it")
        if self.clickhouse_url is not None and not re.match(
            r"^(chdb:///.+|https?://[^/\s]+(/\w*)?)$", self.clickhouse_url.get_secret_value()
        ):
            raise ValueError("WARROOM_CLICKHOUSE_URL must be `chdb:///DIR` or `http(s)://user:pass@host:8123/db`")
        if self.user_ids == "plain" and self.user_key_file is not None:
            raise ValueError("WARROOM_USER_IDS=plain hashes nothing, so WARROOM_USER_KEY_FILE is of no use; unset one")
        if self.clickhouse_cluster and (self.clickhouse_url or SecretStr("")).get_secret_value().startswith("chdb"):
            raise ValueError(
                "WARROOM_CLICKHOUSE_CLUSTER names a cluster of servers, and WARROOM_CLICKHOUSE_URL is an embedded "
                "store; remove the one or change the other"
            )
        if sentences := list(retention.refusals(self.retention_days, self.duplicate_horizon_hours)):
            raise ValueError("; ".join(sentences))
        if self.cold_after_days is not None and self.storage_policy is None:
            raise ValueError(
                "WARROOM_COLD_AFTER_DAYS moves parts to a volume `cold`, and only a storage policy has one: "
                "set WARROOM_STORAGE_POLICY, or remove it"
            )
        if sentences := list(transport.refusals(self)):
            raise ValueError("; ".join(sentences))
        return self

    @model_validator(mode="after")
    def _refuse_half_a_provider(self) -> Self:
        if self.oidc_issuer is None:
            if self.oidc_audience or self.oidc_client_id or self.oidc_roles:
                raise ValueError("WARROOM_OIDC_ISSUER is not set, and other settings of the provider are; set it too")
            return self
        # Whoever can change the provider's answers on their way decides who is let in.
        if not re.match(r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$))", self.oidc_issuer):
            raise ValueError("WARROOM_OIDC_ISSUER must begin with https://")
        if not (self.oidc_audience or self.oidc_client_id):
            raise ValueError(
                "WARROOM_OIDC_ISSUER lets nobody in; set WARROOM_OIDC_CLIENT_ID for people, or WARROOM_OIDC_AUDIENCE "
                "for access tokens"
            )
        if not self.oidc_roles:
            raise ValueError("WARROOM_OIDC_ROLES is empty, so that nobody of the provider may do anything; set it")
        return self

    @property
    def embedded_store(self) -> bool:
        """Whether the store is within the process that opens it, and no server."""
        return self.clickhouse_url is not None and self.clickhouse_url.get_secret_value().startswith("chdb:")

    @property
    def locked(self) -> bool:
        """Whether whoever asks over HTTP has to say who they are."""
        return self.api_keys_file is not None or self.oidc_issuer is not None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed wins over the environment. A secret is in a file or in the environment, never in both."""
        return init_settings, SecretFiles(settings_cls), env_settings

    @cached_property
    def topics(self) -> dict[str, str]:
        """Topic name of each kind: traffic, orders, coupons, inventory, spend, dlq."""
        return {kind: self.topic_prefix + kind for kind in (*EVENT_KINDS, "dlq")}


EVENT_KINDS = ("traffic", "orders", "coupons", "inventory", "spend")
"""The five kinds of events; each has a topic of its own."""


def load_settings(**overrides: object) -> Settings:
    """Reads the environment once.

    `overrides` win over the environment (command line flags). Raises `ConfigurationError` with a sentence a setting.
    What is allowed and not safe is logged as soon as logs are configured.
    """
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError("; ".join(_sentence(detail) for detail in error.errors())) from None
    for files in (transport.kafka_tls(settings), transport.store_tls(settings)):
        if files is not None:
            files.context()
    for sentence in transport.cautions(settings, secret_files(Settings, os.environ)):
        warn_later("a setting is not safe everywhere", caution=sentence)
    return settings


def _sentence(detail: object) -> str:
    assert isinstance(detail, dict)
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    return f"WARROOM_{str(detail['loc'][0]).upper()}: {message}"
