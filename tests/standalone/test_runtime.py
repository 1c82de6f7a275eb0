"""Services in one process: what becomes of it when one of them ends."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import APIRouter

from services.common.access.service import unguarded
from services.common.errors import WarroomError
from services.common.runtime import run_services
from tests.support.broker import free_port


class Quitter:
    """A service that ends before anybody asked it to."""

    name = "quitter"

    def __init__(self, *, cancelled: bool) -> None:
        self.router = APIRouter()
        self._cancelled = cancelled

    def not_ready(self) -> str | None:
        return None

    async def run(self, stop: asyncio.Event) -> None:
        if self._cancelled:
            raise asyncio.CancelledError


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_service_that_ends_by_itself_is_an_error(cancelled: bool) -> None:
    """Status 0 would tell whoever started the process that all is well."""
    with pytest.raises(WarroomError, match="quitter ended by itself"):
        await run_services([Quitter(cancelled=cancelled)], unguarded(), host="127.0.0.1", port=free_port())
