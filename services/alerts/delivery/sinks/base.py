"""What every sink is: a pure rendering of notices, and an edge that sends it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from schemas.receivers import Language, Mention
from services.alerts.alert import Transition
from services.alerts.delivery.bucket import Limit

FIRING = "firing"
ACKNOWLEDGED = "acknowledged"
RESOLVED = "resolved"
ESCALATED = "escalated"
OPENING = frozenset({FIRING, ESCALATED})
"""Notices that tell somebody of something that is wrong; only they mention people."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it. Not `delivered` and not `retry`: the receiver will never take it.

    `detail` holds no secret. `retry_after`: milliseconds for which the receiver asks to be left alone, 0 without such.
    """

    delivered: bool
    retry: bool
    detail: str
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What a rendering depends on besides the notices: the receiver's settings, and the present moment."""

    receiver: str
    external_url: str
    now: int
    language: Language = "en"
    mentions: Sequence[Mention] = ()

    def link(self, path: str = "") -> str:
        """An address at this Warroom."""
        return f"{self.external_url.rstrip('/')}{path}"


Message = Mapping[str, Any] | Sequence[Any]
"""A body that can be JSON; without what depends on the moment of sending, such as a signature."""


class Sink(ABC):
    """One receiver's way of being told. Not for concurrent use: one worker owns it."""

    kind: ClassVar[str]
    """As the receivers file names it."""
    takes: ClassVar[frozenset[str]] = frozenset({FIRING, ACKNOWLEDGED, RESOLVED, ESCALATED})
    """The notices that it knows how to tell."""
    together: ClassVar[int] = 1
    """How many notices one message may hold."""
    limit: ClassVar[Limit]
    """What the vendor allows, kept by whoever sends."""

    @property
    @abstractmethod
    def account(self) -> tuple[str, ...]:
        """What the vendor counts messages by; a secret."""

    @property
    def resend_ms(self) -> int | None:
        """How often what is open must be sent again so that the receiver does not take it for over; None: never."""
        return None

    @abstractmethod
    def render(self, notices: Sequence[Transition], context: Context) -> Message:
        """The message for at least one and at most `together` notices. Pure; the same arguments give the same."""

    @abstractmethod
    async def send(self, message: Message, now: int) -> Attempt:
        """Sends it once. Returns within the sink's timeout, and raises nothing for what receiver or network do."""

    @abstractmethod
    async def close(self) -> None:
        """Gives back its connections."""
