"""A `for` of minutes does not begin anew when a process does, and begins anew when nobody has looked for long."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.lifecycle import Sighting
from services.alerts.patience import GAP_MS, REFRESH_MS, Patience
from services.alerts.service import AlertsService
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.shop import Shop
from tests.alerts.stage import NOW, Stage, rules

BAD = {"app": Sighting.BREACH}
RULES = rules(one={"for": "3m", "severity": "info"})


def fired_after(stage: Stage) -> int:
    (told,) = stage.told
    return ((told.alert.life.fired_at or 0) - told.alert.life.pending_at) // 1000


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, GAP_MS // 1000 - 1)), max_size=6))
def test_restarts_cost_no_time(restarts: list[tuple[int, int]]) -> None:
    """It fires at the first look at which it has lasted long enough, the time without a process included."""
    stage = Stage(RULES)
    stage.bad["one"] = dict(BAD)
    for seconds, gap in restarts:
        stage.look(seconds)
        stage.restart()
        stage.now += gap * 1000
    stage.look(181)
    assert len(stage.told) == 1
    assert stage.told[0].alert.life.pending_at == NOW + 1000 or not restarts
    assert fired_after(stage) >= 180


@pytest.mark.parametrize(
    ("gap", "seen", "seconds"), [(GAP_MS // 1000 + 1, Sighting.BREACH, 180), (5, Sighting.CLEAR, 180)]
)
def test_what_nobody_has_seen_or_was_gone_begins_anew(gap: int, seen: Sighting, seconds: int) -> None:
    stage = Stage(RULES)
    stage.bad["one"] = dict(BAD)
    stage.look(100)
    stage.restart()
    stage.now += gap * 1000
    stage.bad["one"] = {"app": seen}
    stage.look()
    stage.bad["one"] = dict(BAD)
    stage.look(seconds - 2)
    assert stage.told == []
    stage.look(3)
    assert fired_after(stage) == seconds


def test_it_is_written_down_when_it_changes_and_now_and_then() -> None:
    known = Patience({"a": 5}, 1000)
    assert not known.outdated(Patience({"a": 5}, 1000 + REFRESH_MS - 1))
    assert known.outdated(Patience({"a": 5}, 1000 + REFRESH_MS))
    assert known.outdated(Patience({"a": 6}, 1001))
    assert known.outdated(Patience({}, 1001))
    assert not Patience({}, 0).outdated(Patience({}, 10**9))


async def test_the_next_process_goes_on_counting(store: Store, tmp_path: Path) -> None:
    for table in ("alert_transitions", "alert_deliveries", "alert_silences", "alert_pending"):
        store.command(f"TRUNCATE TABLE {table}")
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n  - {name: mine, detector: stock_out, severity: info, summary: s, runbook: r, for: 1m}\n")
    shop = Shop(store, {})
    shop.report()
    shop.set_stock("sku-1", 0)
    told = []
    for looks in (3, 3):
        service = AlertsService(Settings(rules_file=path), store, clock=shop.clock)
        await service.restore()
        for _ in range(looks):
            shop.now += 12_000
            shop.report()
            told += await service.look()
    (fired,) = told
    assert (fired.alert.life.fired_at or 0) - fired.alert.life.pending_at == 60_000
