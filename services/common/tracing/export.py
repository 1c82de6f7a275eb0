"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP. Needs the extra `tracing`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes as OtelAttributes

from services.common.tracing import Attributes, Kind, Span

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
}
_SEND_SECONDS = 3
"""Of one attempt to send: a process that ends waits for no longer."""
_QUEUE, _BATCH = 2_048, 512
_EVERY_MS = 1_000
_PROPAGATOR = TraceContextTextMapPropagator()


class _LinkedOrRatio(Sampler):
    """Within a span as that was; what is linked to sampled spans always; of the rest a share."""

    def __init__(self, ratio: float) -> None:
        self._ratio = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: OtelAttributes = None,
        links: Sequence[Link] | None = None,
        trace_state: trace.TraceState | None = None,
    ) -> SamplingResult:
        parent = trace.get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            return SamplingResult(
                Decision.RECORD_AND_SAMPLE if parent.trace_flags.sampled else Decision.DROP, attributes
            )
        if links:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._ratio.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"LinkedOr{self._ratio.get_description()}"


class _Open:
    """Implements `Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def say(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))


class Exporting:
    """Implements `services.common.tracing.Backend`. What the receiver does not take in time is dropped."""

    def __init__(self, endpoint: str, ratio: float, service: str) -> None:
        """`endpoint` without a path is the receiver's usual one, `/v1/traces`."""
        url = endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + "/v1/traces"
        self._provider = TracerProvider(
            sampler=_LinkedOrRatio(ratio), resource=Resource.create({SERVICE_NAME: f"warroom-{service}"})
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(endpoint=url, timeout=_SEND_SECONDS),
                max_queue_size=_QUEUE,
                max_export_batch_size=_BATCH,
                schedule_delay_millis=_EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("warroom")

    @contextmanager
    def span(
        self, name: str, kind: Kind, links: Sequence[str], start_ns: int | None, attributes: Attributes
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            kind=_KINDS[kind],
            attributes=dict(attributes),
            links=[link for each in links if (link := _link(each)) is not None],
            start_time=start_ns,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Open(span)
            except BaseException as error:
                # Not its message, which may hold what a person sent.
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def past(self, name: str, start_ns: int, end_ns: int) -> None:
        self._tracer.start_span(name, start_time=start_ns).end(end_ns)

    def current(self) -> str | None:
        if not trace.get_current_span().get_span_context().trace_flags.sampled:
            return None
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def flush(self) -> None:
        self._provider.force_flush(_SEND_SECONDS * 1000)

    def close(self) -> None:
        self._provider.shutdown()


def _link(traceparent: str) -> Link | None:
    context = trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent}, Context())).get_span_context()
    return Link(context) if context.is_valid else None
