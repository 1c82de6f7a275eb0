"""The page as it is asked for: what it refuses, what it says of a campaign that is not over, and without alerts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner
from fastapi import FastAPI

from services.alerts.service import AlertsService
from services.cli import warroom
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.review.service import ReviewService
from tests.review.conftest import NOBODY, Desk, desk_at
from tests.review.festival import HOURS, START, declared, festival, ms
from tests.review.reading import read_page
from tests.support.store import fresh_campaign
from tests.support.waiting import until


@pytest.fixture
def caught_up(store: Store) -> Iterator[None]:
    """Ingest has come to the second hour of the festival and 30 s."""
    store.command("TRUNCATE TABLE ingest_progress")
    at = ms(START + timedelta(hours=2, seconds=30))
    for kind in ("traffic", "orders", "coupons", "inventory", "spend"):
        store.command(
            "INSERT INTO ingest_progress SELECT 'review.' || {kind:String}, 0, {kind:String}, 1, 1, "
            "fromUnixTimestamp64Milli({at:Int64}, 'UTC'), now64(3)",
            {"kind": kind, "at": at},
        )
    yield
    store.command("TRUNCATE TABLE ingest_progress")


async def told(desk: Desk, campaign: str) -> str:
    answer = await desk.client.get(f"/campaigns/{campaign}/review")
    assert answer.status_code == 200, answer.text
    return answer.text


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started, 30)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 60)


@pytest.mark.usefixtures("caught_up")
async def test_a_running_campaign_is_told_so_far(desk: Desk) -> None:
    campaign = fresh_campaign("running")
    festival(campaign, visitors=40).store(desk.store)
    await desk.declare(campaign, declared(None))
    desk.now_ms = ms(START + timedelta(hours=2, minutes=3))
    text = read_page(await told(desk, campaign)).text
    assert f"so far: {100 * 2 / HOURS:.2f} % of its time" in text
    assert "complete: everything is in up to 2033-05-10 22:00:30" in text
    assert "a share is of the target at its end" in text
    # A missed target and a refund to come are for the end.
    assert "find out first" not in text
    assert "this will be more" in text


@pytest.mark.usefixtures("caught_up")
async def test_a_campaign_to_come_has_dashes_and_no_zeros_by_division(desk: Desk) -> None:
    campaign = fresh_campaign("coming")
    await desk.declare(campaign, declared(None))
    desk.now_ms = ms(START - timedelta(days=1))
    page = read_page(await told(desk, campaign))
    assert "has not begun" in page.text
    ratios = [
        f for f in page.figures if (f.at or "").startswith("/metrics/") and f.unit in ("percent", "times", "amount")
    ]
    assert {figure.text for figure in ratios} == {"–"}


async def test_a_campaign_that_nobody_declared_is_told_without_end(desk: Desk) -> None:
    campaign = fresh_campaign("undeclared")
    festival(campaign, visitors=20).store(desk.store)
    desk.now_ms = ms(START + timedelta(hours=3))
    page = read_page(await told(desk, campaign))
    assert "no end was declared" in page.text
    assert "No targets were declared" in page.text
    assert "not complete" in page.text or "not known how complete" in page.text


async def test_without_alerts_the_rest_is_told(store: Store) -> None:
    async with desk_at(store, alerts_here=False) as desk:
        campaign = fresh_campaign("alone")
        festival(campaign, visitors=20).store(desk.store)
        page = read_page(await told(desk, campaign))
        assert page.text.count("could not be reached") == 2
        assert NOBODY in page.text
        assert len(page.figures) > 50


async def test_alerts_of_another_process_are_asked_for_where_it_is_reached(store: Store) -> None:
    """Catches a review that asks for alerts at the address of people, which in a container leads to itself."""
    campaign = fresh_campaign("apart")
    festival(campaign, visitors=20).store(store)
    apart = AlertsService(Settings(http_host="0.0.0.0"), store)
    async with served(build_app([apart])) as url, desk_at(store, alerts_here=False, alerts_url=url) as desk:
        await desk.incident(
            campaign, "stock_out", START + timedelta(hours=2), labels={"item_id": "shoe"}, resolved=1800,
            summary="The shoe ran out",
        )  # fmt: skip
        text = read_page(await told(desk, campaign)).text
    assert "could not be reached" not in text
    assert "The shoe ran out" in text


async def test_what_is_wrong_with_a_request_is_said(desk: Desk) -> None:
    campaign = fresh_campaign("asked")
    await desk.declare(campaign, declared(None))
    path = f"/campaigns/{campaign}/review"
    for params in ({"lang": "fr"}, {"format": "pdf"}, {"theme": "dark"}):
        answer = await desk.client.get(path, params=params)
        assert answer.status_code == 422
        assert answer.json()["field"] == next(iter(params))
    assert (await desk.client.get("/campaigns/nobody-knows-this/review")).status_code == 404
    assert (await desk.client.get("/campaigns/a%20b/review")).status_code == 422


async def test_the_page_loads_and_runs_nothing(desk: Desk) -> None:
    campaign = fresh_campaign("policy")
    await desk.declare(campaign, declared(None))
    answer = await desk.client.get(f"/campaigns/{campaign}/review")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_too_many_reports_at_once_are_told_to_come_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign, entered, go = fresh_campaign("busy"), asyncio.Event(), asyncio.Event()
    await desk.declare(campaign, declared(None))
    reading = ReviewService._read

    async def slowly(self: ReviewService, *arguments: object) -> object:
        entered.set()
        await go.wait()
        return await reading(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ReviewService, "_read", slowly)
    asked = [asyncio.create_task(desk.client.get(f"/campaigns/{campaign}/review")) for _ in range(13)]
    await entered.wait()
    done, _ = await asyncio.wait(asked, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().status_code for task in done} == {503}
    for task in asked:
        if not task.done():
            task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    monkeypatch.undo()
    go.set()
    assert (await desk.client.get(f"/campaigns/{campaign}/review")).status_code == 200


async def test_the_command_writes_both_files_with_links_to_the_api(desk: Desk, tmp_path: Path) -> None:
    campaign = fresh_campaign("written")
    festival(campaign, visitors=20).store(desk.store)
    async with served(desk.app) as url:
        arguments = ["review", campaign, "--api", url, "--out", str(tmp_path / "new"), "--lang", "zh"]
        result = await asyncio.to_thread(CliRunner().invoke, warroom, arguments)
        assert result.exit_code == 0, result.output
        missing = await asyncio.to_thread(CliRunner().invoke, warroom, ["review", "nobody-knows", "--api", url])
        assert "no campaign named 'nobody-knows'" in str(missing.exception)
    html = (tmp_path / "new" / f"review-{campaign}-zh.html").read_text(encoding="utf-8")
    markdown = (tmp_path / "new" / f"review-{campaign}-zh.md").read_text(encoding="utf-8")
    page = read_page(html)
    linked = [figure.href for figure in page.figures if figure.at is not None]
    assert linked
    assert all(href.startswith(f"{url}/api/v1/") for href in linked)
    assert all(href in markdown for href in linked)
    assert "复盘报告" in page.text


async def test_without_a_baseline_the_difference_to_the_target_is_explained(desk: Desk) -> None:
    campaign = fresh_campaign("target")
    made = festival(campaign, visitors=40)
    made.store(desk.store)
    await desk.declare(campaign, declared(None))
    page = read_page(await told(desk, campaign))
    gap = made.total("order_created") - 9000
    assert "GMV was" in page.text
    assert f"a difference of {'+' if gap > 0 else '−'}{abs(gap):,}" in page.text
    parts = [figure.text for figure in page.figures if figure.href == "#how-drivers" and figure.unit == "money"]
    # The difference is told before its parts and beneath them, and the largest of these once more as advice.
    amounts = [Decimal(text.replace("−", "-").replace(",", "")) for text in parts]
    assert amounts[0] == gap == amounts[4] == sum(amounts[1:4])
