"""How we speak to Kafka and ClickHouse: which combinations of settings are refused, and which are only warned of.

Refused is what can only be a mistake: a password that would cross a network in the clear where nobody asked for that,
and settings that would silently do nothing. Warned of is what a private network may allow.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from services.common.secret_files import open_to_all
from services.common.tls import TlsFiles

if TYPE_CHECKING:
    from services.common.settings import Settings

_KAFKA = "WARROOM_KAFKA_SECURITY_PROTOCOL"
_SECRET_FILES = ("key_file", "secret_file")
"""How settings end that name a file with something secret in it."""


def kafka_tls(settings: Settings) -> TlsFiles | None:
    """The files of connections to Kafka; None when these are not encrypted."""
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    return TlsFiles(
        "WARROOM_KAFKA_SSL", settings.kafka_ssl_ca_file, settings.kafka_ssl_cert_file, settings.kafka_ssl_key_file
    )


def store_tls(settings: Settings) -> TlsFiles | None:
    """The files of connections to ClickHouse; None when these are not encrypted."""
    if settings.clickhouse_url is None or not settings.clickhouse_url.get_secret_value().startswith("https://"):
        return None
    return TlsFiles(
        "WARROOM_CLICKHOUSE", settings.clickhouse_ca_file, settings.clickhouse_cert_file, settings.clickhouse_key_file
    )


def kafka_servers(settings: Settings) -> list[tuple[str, int]]:
    """Host and port of each bootstrap server, as far as they can be told apart."""
    servers = []
    for server in (settings.kafka_bootstrap_servers or "").split(","):
        parts = urlsplit(f"//{server.strip()}")
        if parts.hostname:
            servers.append((parts.hostname, parts.port or 9092))
    return servers


def refusals(settings: Settings) -> Iterator[str]:
    """Why these settings must not start, in sentences that say what to change."""
    yield from _kafka_refusals(settings)
    yield from _store_refusals(settings)


def cautions(settings: Settings, secrets: Mapping[str, Path]) -> Iterator[str]:
    """What is allowed and not safe everywhere. `secrets` are the files that secrets were read from, by setting."""
    away = [host for host, _ in kafka_servers(settings) if not is_loopback(host)]
    if away and not settings.kafka_security_protocol.endswith("SSL"):
        yield (
            f"events travel to and from Kafka at {away[0]} in the clear; set {_KAFKA} to SSL or SASL_SSL unless the "
            "network between is private"
        )
    elif away and settings.kafka_security_protocol == "SSL" and settings.kafka_ssl_cert_file is None:
        yield (
            f"Kafka at {away[0]} is not told who we are: whoever reaches it may read and write as we do; use SASL_SSL "
            "or a client certificate"
        )
    url = urlsplit(settings.clickhouse_url.get_secret_value()) if settings.clickhouse_url else None
    if url is not None and url.scheme == "http" and url.password and url.hostname and not is_loopback(url.hostname):
        yield (
            f"the password of ClickHouse travels to {url.hostname} in the clear; write https:// in "
            "WARROOM_CLICKHOUSE_URL unless the network between is private"
        )
    files: dict[str, object] = {f"{name}_file": file for name, file in secrets.items()}
    files |= {name: value for name, value in settings if name.endswith(_SECRET_FILES)}
    for name, file in files.items():
        if isinstance(file, Path) and open_to_all(file):
            yield f"WARROOM_{name.upper()}: every user of this machine can read {file}; chmod 600 it"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address, and a connection to it stays here.

    Other names do not count, `x.localhost` neither: a resolver may lead them elsewhere.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _kafka_refusals(settings: Settings) -> Iterator[str]:
    protocol = settings.kafka_security_protocol
    sasl = {
        "WARROOM_KAFKA_SASL_USERNAME": settings.kafka_sasl_username,
        "WARROOM_KAFKA_SASL_PASSWORD": settings.kafka_sasl_password,
    }
    if protocol.startswith("SASL"):
        for name, value in sasl.items():
            if value is None:
                yield f"{_KAFKA} is {protocol}, so set {name}"
    else:
        for name, value in sasl.items():
            if value is not None:
                yield f"{name} would not be used: set {_KAFKA} to SASL_SSL, or remove it"
    away = [host for host, _ in kafka_servers(settings) if not is_loopback(host)]
    if protocol == "SASL_PLAINTEXT" and settings.kafka_sasl_mechanism == "PLAIN" and away:
        yield (
            f"{_KAFKA} SASL_PLAINTEXT with the mechanism PLAIN would send the password to {away[0]} in the clear; "
            "set it to SASL_SSL, or WARROOM_KAFKA_SASL_MECHANISM to SCRAM-SHA-512"
        )
    files = (settings.kafka_ssl_ca_file, settings.kafka_ssl_cert_file, settings.kafka_ssl_key_file)
    if not protocol.endswith("SSL"):
        yield from _unused("WARROOM_KAFKA_SSL", files, f"set {_KAFKA} to SSL or SASL_SSL")
    yield from _key_alone("WARROOM_KAFKA_SSL", files)


def _store_refusals(settings: Settings) -> Iterator[str]:
    files = (settings.clickhouse_ca_file, settings.clickhouse_cert_file, settings.clickhouse_key_file)
    yield from _key_alone("WARROOM_CLICKHOUSE", files)
    url = urlsplit(settings.clickhouse_url.get_secret_value()) if settings.clickhouse_url else None
    if url is None or url.scheme == "https":
        return
    yield from _unused("WARROOM_CLICKHOUSE", files, "write https:// in WARROOM_CLICKHOUSE_URL")
    if url.scheme == "http" and url.password and _is_public(url.hostname or ""):
        yield (
            f"WARROOM_CLICKHOUSE_URL would send its password to {url.hostname}, an address of the public internet, in "
            "the clear; write https://"
        )


def _unused(setting: str, files: tuple[Path | None, ...], remedy: str) -> Iterator[str]:
    for name, file in zip(("CA", "CERT", "KEY"), files, strict=True):
        if file is not None:
            yield f"{setting}_{name}_FILE would not be used: {remedy}, or remove it"


def _key_alone(setting: str, files: tuple[Path | None, ...]) -> Iterator[str]:
    if files[2] is not None and files[1] is None:
        yield f"{setting}_KEY_FILE needs the certificate that it belongs to: set {setting}_CERT_FILE"


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False
