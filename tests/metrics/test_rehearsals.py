"""Scorecards from a folder that anybody may put files into."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from schemas.http.requests import EXAMPLES
from services.common.runtime import build_app
from services.metrics.rehearsals import MOST_BYTES, build_rehearsals_router
from tests.support.shapes import judged

CARD: dict[str, Any] = EXAMPLES["GET /api/v1/rehearsals/{name}"].answer


class Shelf:
    """The router as the metrics service has it, and nothing else."""

    name = "metrics"

    def __init__(self, directory: Path | None) -> None:
        self.router = APIRouter()
        self.router.include_router(build_rehearsals_router(directory))

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()

    def not_ready(self) -> str | None:
        return None


def client_of(directory: Path | None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build_app([Shelf(directory)]), raise_app_exceptions=False)
    return judged(httpx.AsyncClient(transport=transport, base_url="http://warroom"))


def put(directory: Path, name: str, text: str, at: int) -> None:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))


async def test_cards_are_listed_newest_first_and_bad_files_say_what_is_wrong(tmp_path: Path) -> None:
    """Catches: one bad file that takes the whole list with it."""
    put(tmp_path, "friday.json", json.dumps(CARD), 100)
    put(tmp_path, "older.json", json.dumps({**CARD, "missed": [{**CARD["found"][0], "note": ""}]}), 50)
    put(tmp_path, "cut.json", json.dumps(CARD)[:500], 90)
    put(tmp_path, "other.json", '{"rules": []}', 80)
    put(tmp_path, "huge.json", " " * (MOST_BYTES + 1), 70)
    put(tmp_path, "notes.txt", "no card", 200)
    put(tmp_path, ".hidden.json", json.dumps(CARD), 200)
    async with client_of(tmp_path) as client:
        rows = (await client.get("/api/v1/rehearsals")).json()["rows"]
    assert [row["name"] for row in rows] == ["friday", "cut", "other", "huge", "older"]
    assert [row["problem"] is None for row in rows] == [True, False, False, False, True]
    assert "larger" in rows[3]["problem"]
    assert (rows[0]["found_share"], rows[0]["injected"], rows[0]["start"]) == (1.0, 1, CARD["rehearsed"]["start"])


async def test_a_card_is_answered_as_it_was_written(tmp_path: Path) -> None:
    put(tmp_path, "friday.json", json.dumps(CARD), 100)
    put(tmp_path, "cut.json", "{", 100)
    async with client_of(tmp_path) as client:
        assert (await client.get("/api/v1/rehearsals/friday")).json() == CARD
        assert (await client.get("/api/v1/rehearsals/cut")).status_code == 500
        assert (await client.get("/api/v1/rehearsals/saturday")).status_code == 404


@pytest.mark.parametrize("name", ["..", "..%2Fsecret", "a%2Fb", ".hidden", "link", "a" * 101, "%00"])
async def test_nothing_outside_of_the_folder_is_read(tmp_path: Path, name: str) -> None:
    """Catches: a name that leads elsewhere, by its dots or by a link."""
    folder = tmp_path / "cards"
    folder.mkdir()
    put(tmp_path, "secret.json", json.dumps(CARD), 100)
    put(folder, ".hidden.json", json.dumps(CARD), 100)
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    async with client_of(folder) as client:
        answer = await client.get(f"/api/v1/rehearsals/{name}")
        assert answer.status_code in (404, 422)
        assert (await client.get("/api/v1/rehearsals")).json()["rows"] == []


async def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    for directory in (None, tmp_path / "not-there"):
        async with client_of(directory) as client:
            assert (await client.get("/api/v1/rehearsals")).json()["rows"] == []
            assert (await client.get("/api/v1/rehearsals/friday")).status_code == 404
