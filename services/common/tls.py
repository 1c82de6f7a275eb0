"""Encrypted connections to servers: whose certificates are believed, and the one that is shown. Always verified."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from services.common.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files, each None where there is none; `setting` is what the three settings' names begin with."""

    setting: str
    ca: Path | None = None
    """Authorities that are believed, instead of the system's."""
    certificate: Path | None = None
    """What we show, with the chain; the key may stand in the same file."""
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Reads the files. Raises `ConfigurationError` that names the setting, the file and what is wrong with it."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except ssl.SSLError:
            raise ConfigurationError(f"{self.setting}_CA_FILE: {self.ca} holds no certificate in PEM form") from None
        except OSError as error:
            raise ConfigurationError(f"{self.setting}_CA_FILE: {self.ca} cannot be read: {error.strerror}") from None
        if self.certificate is not None:
            self._show(context, self.certificate)
        return context

    def _show(self, context: ssl.SSLContext, certificate: Path) -> None:
        for name, file in (("CERT", certificate), ("KEY", self.key)):
            try:
                if file is not None:
                    file.read_bytes()
            except OSError as error:
                raise ConfigurationError(
                    f"{self.setting}_{name}_FILE: {file} cannot be read: {error.strerror}"
                ) from None
        key = f"{self.setting}_{'CERT' if self.key is None else 'KEY'}_FILE: {self.key or certificate}"

        def passphrase() -> str:
            # Without this OpenSSL would ask a terminal.
            raise ConfigurationError(
                f"{key} is encrypted; Warroom takes a key without a passphrase, readable by its own user alone"
            )

        try:
            context.load_cert_chain(certificate, self.key, passphrase)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise ConfigurationError(f"{key} does not belong to the certificate in {certificate}") from None
            raise ConfigurationError(
                f"{self.setting}_CERT_FILE: {certificate} and its key are not both there in PEM form"
            ) from None


def untrusted(error: ssl.SSLError) -> str:
    """Why a connection was not encrypted as it should be, as part of a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return "it does not speak TLS on this port"
    return f"TLS failed: {error.reason or error}"
