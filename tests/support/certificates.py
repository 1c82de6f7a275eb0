"""Certificates of authorities that nobody knows, as files that servers and clients read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its key: apart, and both in one file, the key as PKCS #8, which Kafka asks for."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """An authority of a test's own; `file` holds its certificate."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._authority = trustme.CA()
        directory.mkdir(parents=True, exist_ok=True)
        self.file = directory / f"{name}.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, *hosts: str, days: int | None = None) -> Identity:
        """For these hosts, or for this machine; it expires in so many days, or did so that many ago."""
        now = datetime.now(tz=UTC)
        begins, ends = (now - timedelta(days=30), now + timedelta(days=days)) if days is not None else (None, None)
        issued = self._authority.issue_cert(*(hosts or (HOST, "localhost")), not_before=begins, not_after=ends)
        key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
        pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
        stem = f"{self._name}-{name}"
        identity = Identity(*(self._directory / f"{stem}{end}" for end in (".crt", ".key", ".pem")))
        identity.certificate.write_bytes(chain)
        identity.key.write_bytes(pkcs8)
        identity.both.write_bytes(pkcs8 + chain)
        for file in (identity.key, identity.both):
            file.chmod(0o600)
        return identity
