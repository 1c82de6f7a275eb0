"""Certificates that are about to expire: ours, the authorities we believe, and those that the servers show."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

from services.common import transport
from services.common.tls import TlsFiles, untrusted
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

SOON_DAYS = 21
_DAY_MS = 86_400_000


async def certificates(patient: Patient) -> Sequence[Finding]:
    """Each certificate that there is."""
    settings = patient.settings
    now = patient.clock()
    findings = [
        judge_expiry(name, _file_ends(file), now)
        for name, file in _files(patient)
        if file is not None and file.exists()
    ]
    kafka, store = transport.kafka_tls(settings), transport.store_tls(settings)
    servers: list[tuple[str, str, int, TlsFiles]] = []
    if kafka is not None:
        servers += [(f"Kafka at {host}", host, port, kafka) for host, port in transport.kafka_servers(settings)]
    if store is not None and settings.clickhouse_url is not None:
        url = urlsplit(settings.clickhouse_url.get_secret_value())
        servers.append((f"ClickHouse at {url.hostname}", str(url.hostname), url.port or 8443, store))
    findings += await asyncio.gather(*(_server(*server, now=now) for server in servers))
    return findings or [skipped("certificates", "no connection is encrypted, so there are none")]


def judge_expiry(whose: str, ends: int, now: int) -> Finding:
    """`ends` and `now` are epoch milliseconds."""
    day = datetime.fromtimestamp(ends / 1000, tz=UTC).date()
    remedy = "exchange it: docs/operations.md, A certificate has expired"
    if ends <= now:
        return fail("certificates", f"that of {whose} has expired on {day}", remedy)
    left = (ends - now) // _DAY_MS
    if left < SOON_DAYS:
        return warn("certificates", f"that of {whose} expires on {day}, in {left} days", remedy)
    return ok("certificates", f"that of {whose} lasts until {day}")


def _files(patient: Patient) -> list[tuple[str, Path | None]]:
    names = ("kafka_ssl_ca_file", "kafka_ssl_cert_file", "clickhouse_ca_file", "clickhouse_cert_file")
    return [(f"WARROOM_{name.upper()}", getattr(patient.settings, name)) for name in names]


def _file_ends(file: Path) -> int:
    found = load_pem_x509_certificates(file.read_bytes())
    return min(int(each.not_valid_after_utc.timestamp() * 1000) for each in found)


async def _server(whose: str, host: str, port: int, files: TlsFiles, *, now: int) -> Finding:
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=files.context())
    except ssl.SSLError as error:
        return fail("certificates", f"{whose}: {untrusted(error)}", "docs/operations.md, A certificate has expired")
    except OSError as error:
        return skipped("certificates", f"{whose} shows none: {error.strerror or error}")
    try:
        shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    return judge_expiry(whose, int(load_der_x509_certificate(shown).not_valid_after_utc.timestamp() * 1000), now)
