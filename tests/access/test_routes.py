"""No call is forgotten: every route of every service has a row in the table, and what changes anything is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from services.alerts.service import AlertsService
from services.audit.service import AuditService
from services.common.access.roles import Reach
from services.common.access.table import TABLE, call_of, methods_of
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.ingest.service import IngestService
from services.metrics.service import MetricsService
from services.privacy.service import PrivacyService
from services.review.service import ReviewService

SERVICES = Path(__file__).parents[2] / "services"


def calls() -> set[tuple[str, str]]:
    settings, store = Settings.model_construct(), cast(Store, None)
    kinds = (IngestService, MetricsService, AlertsService, AuditService, PrivacyService)
    parts: list[Any] = [kind(settings, store) for kind in kinds]
    app = build_app([*parts, ReviewService(settings)])
    found = set(_walked(app.routes))
    # What the document knows has been walked: a new kind of route would be missed in silence.
    told = {(method.upper(), path) for path, of in app.openapi()["paths"].items() for method in of}
    assert told <= found
    return found


def _walked(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, APIRoute | Route):
            for method in route.methods or ():
                if method != "HEAD":
                    yield method, route.path
        elif hasattr(route, "original_router"):
            assert not route.include_context.prefix
            yield from _walked(route.original_router.routes)
        else:
            raise AssertionError(f"what is a {type(route)}?")


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert calls() == set(TABLE)


def test_every_service_was_walked() -> None:
    serving = {
        path.parts[-2] for path in SERVICES.glob("*/*.py") if "APIRouter(prefix=" in path.read_text(encoding="utf-8")
    }
    assert serving <= {"metrics", "alerts", "audit", "privacy", "review"}


def test_what_changes_something_is_recorded_and_not_for_viewers() -> None:
    itself = {"/login", "/logout"}
    for (method, path), need in TABLE.items():
        if method != "GET" and path not in itself:
            assert need.action, path
            assert need.role.word in ("operator", "admin"), path


def test_little_is_open() -> None:
    assert {path for (_, path), need in TABLE.items() if need.reach is Reach.OPEN} == {
        "/healthz", "/readyz", "/login", "/login/provider", "/login/callback", "/logout", "/assets/{name}",
        "/favicon.svg",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/campaigns/a.b-c_D/overview", "/api/v1/campaigns/{campaign_id}/overview"),
        ("/api/v1/campaigns/../overview", "/api/v1/campaigns/{campaign_id}/overview"),
        ("/api/v1/campaigns/a/overview/", None),
        ("/api/v1/campaigns/a/b/overview", None),
        ("/api/v1/campaigns//overview", None),
        ("//api/v1/campaigns", None),
        ("/API/v1/campaigns", None),
        ("/assets/../metrics", None),
        ("/assets/x\n", "/assets/{name}"),
    ],
)
def test_paths(path: str, template: str | None) -> None:
    call = call_of("GET", path)
    assert (call.template if call else None) == template


def test_a_method_that_is_not_there_is_no_call() -> None:
    assert call_of("DELETE", "/api/v1/campaigns/a") is None
    assert methods_of("/api/v1/campaigns/a") == ("GET", "PUT")
    assert call_of("HEAD", "/healthz") is not None
