"""The one place where clients of Kafka are made: each reaches the brokers, and shows who we are, as the settings say.

Certificates are read when a client is made, so that a session that begins anew takes those that have been exchanged.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from services.common import transport
from services.common.settings import Settings


def admin_client(settings: Settings, **options: Any) -> AIOKafkaAdminClient:
    """A client that asks about topics and groups, not started. Raises `ConfigurationError` for unreadable files."""
    return AIOKafkaAdminClient(**access(settings), **options)


def consumer_client(settings: Settings, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """A consumer, not started; as `admin_client`."""
    return AIOKafkaConsumer(*topics, **access(settings), **options)


def producer_client(settings: Settings, **options: Any) -> AIOKafkaProducer:
    """A producer, not started; as `admin_client`."""
    return AIOKafkaProducer(**access(settings), **options)


def access(settings: Settings) -> dict[str, Any]:
    """What every client of aiokafka is told of the way to the brokers."""
    return {"bootstrap_servers": settings.kafka_bootstrap_servers, **security(settings)}


def security(settings: Settings) -> dict[str, Any]:
    """The part of it that a single connection is told, too."""
    files = transport.kafka_tls(settings)
    options: dict[str, Any] = {
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": files.context() if files is not None else None,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        assert settings.kafka_sasl_password is not None
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return options
