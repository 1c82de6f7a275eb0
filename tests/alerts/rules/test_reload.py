"""Rules change while the service runs: whole or not at all, and alerts of what stays go on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.alerts.rules.book import RuleBook
from services.alerts.rules.model import Rule
from services.alerts.rules.watch import watch
from services.alerts.service import AlertsService
from services.common.errors import ConfigurationError
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.shop import Shop
from tests.support.waiting import until


def rules_text(*names: str, factor: float = 1) -> str:
    entry = "  - {{name: {}, severity: critical, summary: s, runbook: r, parameters: {}}}"
    own = {"stock_low": f"{{factor: {factor}}}"}
    return "rules:\n" + "\n".join(entry.format(name, own.get(name, "{}")) for name in names) + "\n"


OUT = rules_text("stock_out")
BOTH = rules_text("stock_out", "stock_low")
LONGER = rules_text("stock_out", "stock_low", "data_silence", "ingest_lag")
WRONG = OUT.replace("critical", "loud")


def names(book: RuleBook) -> list[str]:
    return [rule.name for rule in book.rules]


def successful() -> float | None:
    return REGISTRY.get_sample_value("warroom_alert_rules_reload_successful")


def test_a_wrong_file_is_refused_whole_and_a_right_one_taken(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(OUT, encoding="utf-8")
    book = RuleBook(file, 1000)
    assert (names(book), book.standing.loaded_at, book.standing.successful) == (["stock_out"], 1000, True)

    file.write_text(BOTH.replace("factor: 1", "factor: 0"), encoding="utf-8")
    assert [book.poll(now) for now in (2000, 3000, 4000)] == [False] * 3
    assert names(book) == ["stock_out"]
    assert (book.standing.loaded_at, book.standing.tried_at, successful()) == (1000, 3000, 0)
    (problem,) = book.standing.problems
    assert problem.startswith(f"{file}:3:")

    file.write_text(BOTH, encoding="utf-8")
    assert [book.poll(now) for now in (5000, 6000, 7000)] == [False, True, False]
    assert names(book) == ["stock_out", "stock_low"]
    assert (book.standing.loaded_at, book.standing.successful, successful()) == (6000, True, 1)
    assert REGISTRY.get_sample_value("warroom_alert_rules_reload_timestamp_seconds") == 6
    assert book.places["stock_low"].line == 3


def test_a_file_that_is_gone_or_put_back_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(OUT, encoding="utf-8")
    book = RuleBook(file, 0)
    file.unlink()
    assert [book.poll(1), book.poll(2)] == [False, False]
    assert "cannot be read" in book.standing.problems[0]
    file.write_text(OUT, encoding="utf-8")
    assert not book.poll(3)
    assert (names(book), book.standing.successful, book.standing.loaded_at) == (["stock_out"], True, 0)


def test_a_hangup_takes_the_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(OUT, encoding="utf-8")
    book = RuleBook(file, 0)
    file.write_text(BOTH, encoding="utf-8")
    assert book.poll(1, at_once=True)
    file.write_text(WRONG, encoding="utf-8")
    assert not book.poll(2, at_once=True)
    assert (len(names(book)), book.standing.successful) == (2, False)


def test_a_wrong_file_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(WRONG, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"rules\.yaml:2:\d+: rule 'stock_out': severity"):
        RuleBook(file, 0)


def test_a_folder_is_watched_for_files_that_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(OUT, encoding="utf-8")
    book = RuleBook(tmp_path, 0)
    (tmp_path / "b.yaml").write_text(rules_text("stock_low"), encoding="utf-8")
    assert [book.poll(1), book.poll(2)] == [False, True]
    (tmp_path / "a.yaml").unlink()
    assert [book.poll(3), book.poll(4)] == [False, True]
    assert names(book) == ["stock_low"]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([OUT, BOTH, LONGER, WRONG]), st.lists(st.integers(0, 400), max_size=4))))
def test_nothing_half_written_comes_into_force(writes: list[tuple[str, list[int]]]) -> None:
    """A truncated list of rules is YAML too, and would switch the last rules off."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(OUT, encoding="utf-8")
        book = RuleBook(file, 0)
        whole = {tuple(names_of(text)) for text in (OUT, BOTH, LONGER)}
        for text, cuts in writes:
            # It grows between any two polls, up to the whole.
            for cut in sorted({cut for cut in cuts if cut < len(text)}):
                file.write_text(text[:cut], encoding="utf-8")
                book.poll(1)
                assert tuple(names(book)) in whole
            file.write_text(text, encoding="utf-8")
            for _ in range(2):
                book.poll(2)
            assert book.standing.successful == (text != WRONG)
            if text != WRONG:
                assert names(book) == names_of(text)


def names_of(text: str) -> list[str]:
    return [line.split("name: ")[1].split(",")[0] for line in text.splitlines()[1:]]


async def test_the_watch_takes_changes_at_once_on_a_hangup(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(OUT, encoding="utf-8")
    at_once_when_taken: list[bool] = []

    class Book(RuleBook):
        def poll(self, now: int, *, at_once: bool = False) -> bool:
            took = super().poll(now, at_once=at_once)
            if took:
                at_once_when_taken.append(at_once)
            return took

    book = Book(file, 0)
    taken: list[list[str]] = []
    stop = asyncio.Event()

    async def take(rules: Sequence[Rule]) -> None:
        taken.append([rule.name for rule in rules])

    task = asyncio.create_task(watch(book, lambda: 0, take, stop))
    await asyncio.sleep(0)
    file.write_text(BOTH, encoding="utf-8")
    os.kill(os.getpid(), signal.SIGHUP)
    await until(lambda: taken == [["stock_out", "stock_low"]])
    stop.set()
    await asyncio.wait_for(task, 60)
    # Two polls that find the same would have taken it as well, a second later.
    assert at_once_when_taken == [True]
    # The process would end by it again.
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


async def test_alerts_of_rules_that_stay_go_on(store: Store, tmp_path: Path) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences"):
        store.command(f"TRUNCATE TABLE {table}")
    shop = Shop(store, {})
    shop.report()
    shop.set_stock("sku-1", 0, safety=10)
    shop.set_stock("sku-2", 5, safety=10)
    file = tmp_path / "rules.yaml"
    file.write_text(BOTH, encoding="utf-8")
    service = AlertsService(Settings(rules_file=file), store, clock=shop.clock)
    await service.restore()

    async def look(seconds: int) -> list[tuple[str, str]]:
        told = []
        for _ in range(seconds):
            shop.now += 1000
            shop.report()
            told += [(t.alert.rule, t.alert.state.value) for t in await service.look()]
        return told

    assert sorted(await look(3)) == [("stock_low", "firing"), ("stock_out", "firing")]
    before = {alert.rule: alert.id for alert in service.engine.alerts.values()}
    file.write_text(rules_text("stock_out", "data_silence"), encoding="utf-8")
    assert service.rulebook.poll(shop.now, at_once=True)
    await service.take_rules(service.rulebook.rules)
    assert await look(2) == [("stock_low", "resolved")]
    assert {alert.rule: alert.id for alert in service.engine.alerts.values()} == {"stock_out": before["stock_out"]}

    file.write_text(WRONG, encoding="utf-8")
    service.rulebook.poll(shop.now, at_once=True)
    transport = httpx.ASGITransport(build_app([service]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer: dict[str, Any] = (await client.get("/api/v1/rules")).json()
    assert [row["name"] for row in answer["rows"]] == ["stock_out", "data_silence"]
    assert answer["rows"][0]["source"] == f"{file}:2"
    assert answer["file"]["source"] == str(file)
    assert (answer["file"]["successful"], len(answer["file"]["problems"])) == (False, 1)
