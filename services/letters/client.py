"""Where the command finds the letters: at a running Warroom over HTTP, or in a ClickHouse server by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from services.common.access.client import credentials
from services.common.clock import wall_clock
from services.common.errors import BrokerError, NotFound, WarroomError
from services.common.letters import Cursor, LetterBook, Place, Redriver
from services.common.letters.answers import (
    COLUMNS,
    RedriveBody,
    letter_answer,
    letter_row,
    report_answer,
    selection,
)
from services.common.settings import Settings
from services.common.store import StorePool
from services.common.store.clickhouse import store_of
from services.common.tabular import json_table

T = TypeVar("T")
Rows = list[dict[str, Any]]

_SECONDS = 120.0
_CONNECT_SECONDS = 5.0
_FLAGS = {None: None, "true": True, "false": False}


class Letters(Protocol):
    """The dead letters of one Warroom. Every call raises `WarroomError`."""

    def page(self, chosen: Mapping[str, str], limit: int, after: str | None) -> tuple[Rows, str | None]:
        """Rows as the API writes them, newest first, and what to pass as `after` for the next ones.

        `chosen` holds parameters of the API: reason, topic, from, to, redriven.
        """
        ...

    def show(self, place: Place) -> dict[str, Any]:
        """One letter with its value."""
        ...

    def redrive(self, body: RedriveBody) -> dict[str, Any]:
        """One call of a redrive: its letters with their outcomes, and `next`."""
        ...


def open_letters(settings: Settings, url: str | None) -> Letters:
    """By HTTP where an address is named or the store is embedded: that one admits no second process."""
    store = settings.clickhouse_url.get_secret_value() if settings.clickhouse_url else ""
    if url is None and store.startswith("http"):
        return DirectLetters(settings)
    return HttpLetters(url or settings.external_url, credentials(settings))


class HttpLetters:
    """Asks the API of a running `warroom standalone` or `warroom metrics`."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        timeout = httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS)
        self._http = httpx.Client(timeout=timeout, headers=headers)

    def page(self, chosen: Mapping[str, str], limit: int, after: str | None) -> tuple[Rows, str | None]:
        """As `Letters.page`."""
        query = {**chosen, "limit": str(limit), "format": "json"}
        answer = self._ask("GET", "", params={**query, "after": after} if after else query)
        link = answer.links.get("next", {}).get("url", "")
        return answer.json()["rows"], next(iter(parse_qs(urlsplit(link).query).get("after", ())), None)

    def show(self, place: Place) -> dict[str, Any]:
        """As `Letters.show`."""
        row: dict[str, Any] = self._ask("GET", f"/{place}").json()
        return row

    def redrive(self, body: RedriveBody) -> dict[str, Any]:
        """As `Letters.redrive`."""
        answer: dict[str, Any] = self._ask("POST", "/redrive", json=body.model_dump(by_alias=True)).json()
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, f"{self._url}/api/v1/dead-letters{path}", **options)
        except httpx.TransportError as error:
            raise BrokerError(
                f"no Warroom answers at {self._url} ({error}); name the address of `warroom standalone` or of "
                "`warroom metrics` with --url, or a ClickHouse server with WARROOM_CLICKHOUSE_URL"
            ) from error
        if answer.is_success:
            return answer
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        raise WarroomError(problem.get("detail") or f"{self._url} answered {answer.status_code}: {answer.text[:200]}")


class DirectLetters:
    """Reads a ClickHouse server and writes to Kafka, with no service in between."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def page(self, chosen: Mapping[str, str], limit: int, after: str | None) -> tuple[Rows, str | None]:
        """As `Letters.page`, without the values."""
        wanted = selection(
            chosen.get("reason"),
            chosen.get("topic"),
            chosen.get("from"),
            chosen.get("to"),
            redriven=_FLAGS[chosen.get("redriven")],
        )
        cursor = None if after is None else Cursor.parse(after)
        found = self._run(lambda pool: LetterBook(pool).page(wanted, limit=limit, after=cursor, newest_first=True))
        rows = json_table(COLUMNS, [letter_row(letter, None) for letter in found])["rows"]
        return rows, str(Cursor.of(found[-1])) if len(found) == limit else None

    def show(self, place: Place) -> dict[str, Any]:
        """As `Letters.show`."""

        async def ask(pool: StorePool) -> dict[str, Any]:
            book = LetterBook(pool)
            found = await book.find(place)
            if not found:
                raise NotFound("dead letter", str(place))
            return letter_answer(found, await book.values(found[:1]))

        return self._run(ask)

    def redrive(self, body: RedriveBody) -> dict[str, Any]:
        """As `Letters.redrive`."""
        request = body.request()
        return report_answer(self._run(lambda pool: Redriver(self._settings, pool, wall_clock).redrive(request)))

    def _run(self, call: Callable[[StorePool], Awaitable[T]]) -> T:
        store = store_of(self._settings)

        async def run() -> T:
            pool = StorePool(store, threads=1, name="letters")
            try:
                return await call(pool)
            finally:
                await pool.close()

        try:
            return asyncio.run(run())
        finally:
            store.close()
