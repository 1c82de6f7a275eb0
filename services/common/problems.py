"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.common.access.table import methods_of
from services.common.errors import (
    BrokerError,
    Busy,
    ConfigurationError,
    Forbidden,
    InvalidRequest,
    NotFound,
    StoreUnavailable,
    WarroomError,
)

logger = logging.getLogger(__name__)


def problem(status: int, title: str, detail: str, errors: Sequence[dict[str, str]] = (), **extra: Any) -> JSONResponse:
    """A problem document; `errors` lists the fields at fault as {"field", "detail"}."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        **extra,
    }
    if errors:
        body["errors"] = list(errors)
        body["field"] = errors[0]["field"]
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Makes every error of the application a problem document."""

    @app.exception_handler(InvalidRequest)
    async def _invalid(_: Request, error: InvalidRequest) -> JSONResponse:
        return problem(
            422,
            "Invalid request",
            f"{error.field}: {error.detail}",
            [{"field": error.field, "detail": error.detail}],
        )

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        # The first part of a location says body, query or path; the rest is the field.
        errors = [
            {
                "field": ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]),
                "detail": str(item["msg"]).removeprefix("Value error, "),
            }
            for item in error.errors()
        ]
        return problem(422, "Invalid request", "; ".join(f"{e['field']}: {e['detail']}" for e in errors), errors)

    @app.exception_handler(NotFound)
    async def _missing(_: Request, error: NotFound) -> JSONResponse:
        return problem(404, "Not found", str(error))

    @app.exception_handler(Forbidden)
    async def _forbidden(_: Request, error: Forbidden) -> JSONResponse:
        return problem(403, "Forbidden", str(error))

    @app.exception_handler(Busy)
    async def _busy(_: Request, error: Busy) -> JSONResponse:
        return problem(503, "Too much at a time", str(error))

    @app.exception_handler(StoreUnavailable)
    async def _unavailable(request: Request, error: StoreUnavailable) -> JSONResponse:
        logger.warning("store unavailable", extra={"path": request.url.path, "error": str(error)})
        return problem(503, "Store unavailable", "ClickHouse did not answer; the same call may succeed in a moment")

    @app.exception_handler(BrokerError)
    async def _kafka(request: Request, error: BrokerError) -> JSONResponse:
        logger.warning("Kafka unavailable", extra={"path": request.url.path, "error": str(error)})
        return problem(503, "Kafka unavailable", str(error))

    @app.exception_handler(ConfigurationError)
    async def _not_configured(_: Request, error: ConfigurationError) -> JSONResponse:
        return problem(501, "Not configured", str(error))

    @app.exception_handler(WarroomError)
    async def _failed(request: Request, error: WarroomError) -> JSONResponse:
        logger.error("request failed", extra={"path": request.url.path}, exc_info=error)
        return problem(500, "Internal error", "the request could not be answered; the log says why")

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail), str(error.detail))
        answer.headers.update(error.headers or {})
        if error.status_code == 405 and (methods := methods_of(request.url.path)):
            # The framework names the methods of one of its routes, and a path may have several.
            answer.headers["Allow"] = ", ".join(methods)
        return answer

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("request failed", extra={"path": request.url.path}, exc_info=error)
        return problem(500, "Internal error", "the request could not be answered; the log says why")
