"""The OpenAPI document of the whole system, without running any of it."""

from __future__ import annotations

import json
from typing import Any, cast

from services.alerts.service import AlertsService
from services.audit.service import AuditService
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.ingest.service import IngestService
from services.metrics.service import MetricsService

PATH = "schemas/generated/openapi.json"


def openapi_document() -> dict[str, Any]:
    """What `GET /openapi.json` of `warroom standalone` answers."""
    settings = Settings.model_construct()
    # Nobody asks it anything: what services can be asked does not depend on their store.
    store = cast(Store, None)
    services = (IngestService, MetricsService, AlertsService, AuditService)
    return build_app([service(settings, store) for service in services]).openapi()


def openapi_text() -> str:
    """As it is written to `schemas/generated`."""
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"
