"""Spans for OpenTelemetry, which nobody pays for while they are off.

`span` is called where something takes a while: a request, a block, a call to the store. Nothing is called for each
record. OpenTelemetry is imported only by `start_tracing`, and only when an endpoint is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Literal, Protocol

from services.common.errors import ConfigurationError

if TYPE_CHECKING:
    from services.common.settings import Settings

Attributes = Mapping[str, str | int]
Kind = Literal["internal", "server", "client", "consumer", "producer"]

MOST_LINKS = 32
"""Of a block's span, to records that it holds; the others' traces end in Kafka."""


class Span(Protocol):
    """What may be said of a span that is open."""

    def name(self, name: str) -> None:
        """Another name than the one it began with."""

    def say(self, attributes: Attributes) -> None:
        """More about it."""


class Backend(Protocol):
    """Takes spans when tracing is on."""

    def span(
        self, name: str, kind: Kind, links: Sequence[str], start_ns: int | None, attributes: Attributes
    ) -> AbstractContextManager[Span]:
        """A span for the length of a `with` block, within the one that is open."""
        ...

    def past(self, name: str, start_ns: int, end_ns: int) -> None:
        """A span that is over, within the one that is open."""

    def current(self) -> str | None:
        """The `traceparent` of the open span, if it is sampled."""
        ...

    def flush(self) -> None:
        """Sends what waits; returns when it is sent or given up."""

    def close(self) -> None:
        """Sends what waits, and ends."""


class _NoSpan:
    def name(self, name: str) -> None:
        """Nobody listens."""

    def say(self, attributes: Attributes) -> None:
        """Nobody listens."""


_OFF: AbstractContextManager[Span] = nullcontext(_NoSpan())
_backend: Backend | None = None


def is_on() -> bool:
    """Whether spans go anywhere."""
    return _backend is not None


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: Kind = "internal",
    links: Sequence[str] = (),
    start_ms: int | None = None,
) -> AbstractContextManager[Span]:
    """A span for the length of a `with` block.

    `links` are `traceparent`s of sampled spans: one that has any is sampled itself. `attributes` hold no data of a
    person, no value of a query, and nothing that a customer typed. Of an error its class is told, and no more.
    """
    if _backend is None:
        return _OFF
    return _backend.span(name, kind, links, None if start_ms is None else start_ms * 1_000_000, attributes or {})


def past(name: str, start_ms: int, end_ms: int) -> None:
    """A span that is over, within the one that is open."""
    if _backend is not None:
        _backend.past(name, start_ms * 1_000_000, max(start_ms, end_ms) * 1_000_000)


def current() -> str | None:
    """The `traceparent` of the span that is open, for a link to it; None where none is, or none that is sampled."""
    return None if _backend is None else _backend.current()


def start_tracing(settings: Settings, service: str) -> None:
    """Turns spans on where `WARROOM_TRACES_ENDPOINT` is set; they are sent by a thread of their own.

    Raises `ConfigurationError` when it is set and what sends them is not installed.
    """
    global _backend  # noqa: PLW0603  # one process, one tracer: a span must not need to be handed through every call
    if settings.traces_endpoint is None:
        return
    stop_tracing()
    try:
        from services.common.tracing.export import Exporting
    except ImportError as error:
        raise ConfigurationError(
            f"WARROOM_TRACES_ENDPOINT is set, and {error.name} is not installed; "
            "install warroom[tracing], or unset WARROOM_TRACES_ENDPOINT"
        ) from None
    _backend = Exporting(settings.traces_endpoint, settings.traces_ratio, service)


def flush_traces() -> None:
    """Sends what waits. For tests, and before an end that nobody sees coming."""
    if _backend is not None:
        _backend.flush()


def stop_tracing() -> None:
    """Sends what waits and turns spans off. Harmless when they are off."""
    global _backend
    backend, _backend = _backend, None
    if backend is not None:
        backend.close()
