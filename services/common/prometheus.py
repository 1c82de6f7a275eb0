"""Every Prometheus metric that Warroom exports, in one place. Identifiers never become labels."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

# HTTP
HTTP_REQUESTS = Counter(
    "warroom_http_requests_total",
    "HTTP requests by route template, method and status.",
    ("route", "method", "status"),
)
HTTP_REQUEST_SECONDS = Histogram(
    "warroom_http_request_duration_seconds",
    "Time to answer an HTTP request, by route template.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Store
STORE_QUERY_SECONDS = Histogram(
    "warroom_store_query_duration_seconds",
    "Time of one query to ClickHouse, failed ones included.",
    ("query",),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

# Ingest
INGEST_RECORDS = Counter("warroom_ingest_records_total", "Records consumed, by kind of event.", ("kind",))

# Services
SERVICE_READY = Gauge("warroom_service_ready", "1 when the service does its work, else 0.", ("service",))
