"""Runs services in one process: one event loop, one HTTP port, one orderly stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.http.document import with_examples
from schemas.http.parameters import narrowed
from schemas.http.shapes import described
from services.common import prometheus
from services.common.access.guard import whose
from services.common.access.service import AccessService, unguarded
from services.common.edge import EdgeRules, Gate, bounded
from services.common.errors import WarroomError
from services.common.http import Measured
from services.common.problems import add_problem_handlers, problem
from services.common.service import Service

logger = logging.getLogger(__name__)

STOP_SECONDS = 12.0
"""How long services may take to finish what they have begun; the contract gives the process 15 s."""


def build_app(services: Sequence[Service], access: AccessService | None = None, *, title: str = "Warroom") -> FastAPI:
    """The HTTP application of the services in this process, with liveness, readiness and Prometheus text.

    `access` is the door; without one, whoever reaches the application may everything: for one that no socket leads to.
    """
    access = access or unguarded()
    # FastAPI's own page of documents runs scripts of another site.
    app = FastAPI(title=title, version="1", docs_url=None, redoc_url=None)
    add_problem_handlers(app)

    # The one added last is met first.
    app.add_middleware(access.guard)
    app.add_middleware(Measured)

    @app.get("/healthz", tags=["health"], summary="Liveness")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], summary="Readiness, with the reason when not ready")
    async def readyz(request: Request) -> Response:
        reasons = {service.name: reason for service in services if (reason := service.not_ready()) is not None}
        if reasons:
            if whose(request).role is None:
                return problem(503, "Not ready", "the log and those who sign in are told why")
            detail = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
            return problem(503, "Not ready", detail, reasons=reasons)
        return Response('{"status":"ready"}', media_type="application/json")

    @app.get("/metrics", tags=["health"], summary="Prometheus text")
    async def metrics() -> Response:
        for service in services:
            prometheus.SERVICE_READY.labels(service.name).set(service.not_ready() is None)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for service in (*services, access):
        app.include_router(service.router)
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        return app.openapi_schema or with_examples(narrowed(described(describe())))

    app.openapi = openapi  # type: ignore[method-assign]
    return app


async def run_services(
    services: Sequence[Service],
    access: AccessService,
    *,
    host: str,
    port: int,
    rules: EdgeRules | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Runs behind the door `access` until SIGTERM or SIGINT, then stops everything in order and returns.

    `rules` are the limits of the port; by default those of nobody's settings, for any name.

    Raises what a service raised when one fails; the others are stopped first. A caller that has more to stop than the
    services passes `stop` and handles the signals itself.
    """
    allow_connections()
    rules = rules or EdgeRules()
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT) if stop is None else ()
    stop = stop or asyncio.Event()
    for number in handled:
        loop.add_signal_handler(number, stop.set)
    server = _Server(
        uvicorn.Config(
            Gate(build_app(services, access), rules),
            interface="asgi3",
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            http=bounded(rules),
            forwarded_allow_ips=rules.trusted_proxies,
            server_header=False,
            # Streams never end by themselves.
            timeout_graceful_shutdown=2,
        )
    )
    tasks = [asyncio.create_task(service.run(stop), name=service.name) for service in (*services, access)]
    http = asyncio.create_task(server.serve(), name="http")
    waiter = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait([*tasks, http, waiter], return_when=asyncio.FIRST_COMPLETED)
        early = [task.get_name() for task in [*tasks, http] if task.done()]
        by_itself = not stop.is_set()
        if by_itself:
            logger.error("stopping because a part ended", extra={"parts": early})
        stop.set()
        server.should_exit = True
        logger.info("stopping")
        _, late = await asyncio.wait([*tasks, http], timeout=STOP_SECONDS)
        for task in late:
            logger.error("did not stop in time", extra={"part": task.get_name()})
            task.cancel()
        outcomes = await asyncio.gather(*tasks, http, return_exceptions=True)
    finally:
        waiter.cancel()
        for number in handled:
            loop.remove_signal_handler(number)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
            raise outcome
    if early and "http" in early and server.failed:
        raise WarroomError(f"could not listen on {host}:{port}; choose another port or stop what uses it")
    if by_itself:
        # Whoever starts it again must see that something went wrong.
        raise WarroomError(f"{', '.join(early)} ended by itself")


def allow_connections() -> None:
    """Lets this process hold as many connections as the system allows it: the usual limit at first is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers, and without ending the process when the port is taken."""

    failed = False

    def install_signal_handlers(self) -> None:
        """The runtime handles signals."""

    async def serve(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        try:
            await self._serve(None)
        except SystemExit:
            self.failed = True
