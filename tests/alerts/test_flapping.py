"""What comes and goes: one alert that ends late, and few pages, whatever its rhythm and whoever restarts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.flapping import COOL_DOWN_MS, LONGEST_MS
from services.alerts.lifecycle import Sighting, State
from services.common.store import Store
from tests.alerts.shop import Shop
from tests.alerts.stage import Stage, rules
from tests.alerts.test_service import advance, serving

BAD = {"app": Sighting.BREACH}
RULES = rules(one={"for": "2s", "keep_firing_for": "5s", "severity": "warning"})


def episode(stage: Stage, bad: int, calm: int) -> None:
    """Bad for so many seconds, then calm for so many."""
    stage.bad["one"] = dict(BAD)
    stage.look(bad)
    stage.bad["one"] = {}
    stage.look(calm)


def test_what_comes_back_at_once_is_the_same_alert() -> None:
    stage = Stage(RULES)
    episode(stage, 10, 20)
    stage.restart()
    episode(stage, 10, 20)
    assert [notice for _, notice in stage.notices()] == ["firing", "resolved"] * 2
    first, ended, again, _ = (transition.alert for transition in stage.told)
    assert len({transition.alert.id for transition in stage.told}) == 1
    assert [transition.alert.seq for transition in stage.told] == [1, 2, 3, 4]
    # Receivers know an alert by its labels and its beginning.
    assert first.starts_at < (ended.ends_at or 0) <= again.starts_at
    assert stage.told[2].note == "it has come back"


def test_what_comes_back_later_is_another_one() -> None:
    stage = Stage(RULES)
    episode(stage, 10, 20 + COOL_DOWN_MS // 1000)
    episode(stage, 10, 20)
    assert len({transition.alert.id for transition in stage.told}) == 2
    # It has happened twice, and ends as quickly as the first time.
    one, other = (t.alert for t in stage.told if t.alert.state is State.RESOLVED)
    assert (one.ends_at or 0) - (one.life.fired_at or 0) == (other.ends_at or 0) - (other.life.fired_at or 0)


def test_what_flaps_all_the_time_is_a_handful_of_pages() -> None:
    stage = Stage(RULES)
    for _ in range(4 * 20):
        episode(stage, 5, 10)
    assert [notice for _, notice in stage.notices()].count("firing") <= 4
    episode(stage, 5, LONGEST_MS // 1000 + 10)
    assert stage.told[-1].alert.state is State.RESOLVED


SECONDS = st.sampled_from([1, 3, 8, 20, 45, 70, 130])
EPISODES = st.lists(st.tuples(SECONDS, SECONDS, st.sampled_from([False, False, False, True])), min_size=2, max_size=20)


@settings(max_examples=15)
@given(EPISODES)
def test_the_laws_of_coming_back(episodes: list[tuple[int, int, bool]]) -> None:
    stage = Stage(RULES)
    for bad, calm, restart in episodes:
        if restart:
            stage.restart()
        episode(stage, bad, calm)
    stage.look(LONGEST_MS // 1000 + 10)
    notices = [transition for transition in stage.told if transition.notice]
    assert [transition.notice for transition in notices] == [("firing", "resolved")[n % 2] for n in range(len(notices))]
    alerts = list({transition.alert.id: None for transition in stage.told})
    for one, other in pairwise(alerts):
        last = [t for t in stage.told if t.alert.id == one][-1]
        begun = next(t for t in stage.told if t.alert.id == other)
        assert last.alert.state is State.RESOLVED
        assert begun.alert.life.pending_at - last.at >= COOL_DOWN_MS
    # In no hour more than a dozen pages, or a page in five minutes: what nobody would call flapping.
    pages = [transition.at for transition in notices if transition.notice == "firing"]
    for start in pages:
        assert sum(start <= at < start + 3_600_000 for at in pages) <= 13


async def test_one_that_is_pending_again_is_shown_once(store: Store) -> None:
    store.command("TRUNCATE TABLE alert_transitions")
    shop = Shop(store, {})
    shop.report()
    async with serving(store, shop) as (service, client):
        for stock, seconds in ((5, 12), (50, 8), (5, 1)):
            shop.set_stock("sku-1", stock, safety=10)
            await advance(shop, service, seconds)
        (row,) = (await client.get("/api/v1/alerts")).json()["rows"]
        assert row["state"] == "pending"
        told = (await client.get(f"/api/v1/alerts/{row['id']}")).json()["timeline"]
        assert [moment["state"] for moment in told] == ["pending", "firing", "resolved", "pending"]
        await advance(shop, service, 12)
        (again,) = (await client.get("/api/v1/alerts")).json()["rows"]
        assert (again["id"], again["state"], again["ends_at"]) == (row["id"], "firing", None)
