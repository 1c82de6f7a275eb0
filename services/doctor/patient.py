"""What is examined, and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.common.clock import Clock
from services.common.settings import Settings
from services.common.store import StorePool


class Told(Protocol):
    """Somebody who is told of alerts: what the doctor has to know of a receiver."""

    @property
    def name(self) -> str:
        """As the receivers file names it."""

    @property
    def addresses(self) -> Sequence[str]:
        """Its URLs, which may be secret."""


class Receivers(Protocol):
    """The receivers of the settings, which belong to the alerts service."""

    def load(self, settings: Settings) -> Sequence[Told]:
        """All of them. Raises `ConfigurationError`."""

    async def tell(self, receiver: Told) -> str | None:
        """Sends a test alert and its end; returns why it was not taken, None when it was."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One installation, as its settings describe it."""

    settings: Settings
    secrets: Mapping[str, Path]
    """Files that secrets were read from, by setting."""
    store: StorePool | None
    """None where there is no ClickHouse server to ask."""
    urls: Sequence[str]
    """Where services listen."""
    receivers: Receivers
    send: bool
    """Whether receivers may be sent something."""
    api_key: str | None
    seconds: float
    """How long one check may take."""
    clock: Clock
