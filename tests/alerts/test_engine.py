"""The engine by its laws: restarts, failed writes and lag at any moment tell nobody anything twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.alert import Alert, Transition
from services.alerts.engine import Engine
from services.alerts.history import History, empty_series
from services.alerts.lifecycle import State
from services.alerts.rules.load import load_rules, parse_rules
from services.alerts.scene import (
    Activity,
    CampaignScene,
    PartitionProgress,
    PipelineScene,
    Scene,
    StockLevel,
)
from services.alerts.series import zeros

NOW = 1_900_000_000_000
ITEMS = ("a", "b")


def scene(now: int, stock: dict[str, int], *, lag_ms: int = 500, end: int | None = None) -> Scene:
    """A campaign of which only the stock is of interest."""
    campaign = CampaignScene(
        campaign_id="c",
        now=now,
        watermark=now - lag_ms,
        activity={"inventory": Activity(1, now, now, now)},
        end=end,
        recent={},
        recent_all=zeros(now // 1000 - 180, 1, 180),
        recent_refunds={},
        history=History(empty_series(0), empty_series(0)),
        stock={item: StockLevel(level, 10, True, {"w": level}) for item, level in stock.items()},
    )
    progress = [PartitionProgress("campaign.inventory", 0, 1, 1, now - lag_ms, now)]
    return Scene(now, PipelineScene(now, NOW - 10**6, progress, {}, 60, {}), {"c": campaign})


@dataclass(frozen=True)
class Step:
    """What happens up to a look: how the stock stands, and what goes wrong."""

    stock: dict[str, int]
    seconds: int
    lag_ms: int
    restart: bool
    written: bool
    silenced: bool


STEPS = st.lists(
    st.builds(
        Step,
        stock=st.fixed_dictionaries({item: st.sampled_from([0, 0, 5, 50]) for item in ITEMS}),
        seconds=st.sampled_from([1, 1, 1, 3, 30]),
        lag_ms=st.sampled_from([500, 500, 500, 25_000, 60_000]),
        restart=st.sampled_from([False, False, False, True]),
        written=st.sampled_from([True, True, True, False]),
        silenced=st.sampled_from([False, False, True]),
    ),
    max_size=60,
)


@given(STEPS)
def test_every_incident_is_told_once_and_ends_once(steps: list[Step]) -> None:
    rules = load_rules(None)
    engine = Engine(rules)
    ledger: list[Transition] = []
    now = NOW
    for step in steps:
        now += step.seconds * 1000
        if step.restart:
            engine = Engine(rules, _open(ledger))
        silenced = step.silenced
        outcome = engine.evaluate(
            scene(now, step.stock, lag_ms=step.lag_ms),
            lambda alert, at: silenced,  # noqa: B023 - called before the next step
        )
        if step.written:
            ledger += outcome.transitions
            engine.commit(outcome)

    incidents: dict[str, list[Transition]] = {}
    for transition in ledger:
        incidents.setdefault(transition.alert.id, []).append(transition)
    for history in incidents.values():
        assert [t.alert.seq for t in history] == list(range(1, len(history) + 1))
        assert len({t.alert.fingerprint for t in history}) == 1
        assert history[0].alert.state is State.FIRING
        # One that comes back soon after its end goes on.
        for one, other in pairwise(history):
            assert (one.alert.state is State.RESOLVED) <= (other.alert.state is State.FIRING)
        notices = [t.notice for t in history if t.notice in ("firing", "resolved")]
        assert notices == [("firing", "resolved")[n % 2] for n in range(len(notices))]
        for transition in history:
            alert = transition.alert
            assert alert.starts_at <= (alert.life.fired_at or 0) <= (alert.ends_at or now)
    # Incidents of one thing follow each other and never overlap.
    for fingerprint in {t.alert.fingerprint for t in ledger}:
        told = [t.alert for t in ledger if t.alert.fingerprint == fingerprint]
        for before, after in pairwise(told):
            assert before.id == after.id or before.state is State.RESOLVED


def _open(ledger: list[Transition]) -> list[Alert]:
    """What a new process finds in the store: the last row of each alert, without what only memory held."""
    last = {t.alert.id: t.alert for t in ledger}
    told = {t.alert.id: t.notice for t in ledger if t.notice in ("firing", "resolved")}
    return [
        replace(alert, life=replace(alert.life, clear_since=None), notified=told.get(alert.id) == "firing")
        for alert in last.values()
    ]


def _after(engine: Engine, look: Scene) -> list[str]:
    outcome = engine.evaluate(look, lambda alert, now: False)
    engine.commit(outcome)
    return [t.alert.state.value for t in outcome.transitions]


@pytest.fixture
def firing() -> Engine:
    """An engine with one item sold out."""
    engine = Engine(load_rules(None))
    assert _after(engine, scene(NOW, {"a": 0})) == ["firing"]
    return engine


def test_a_campaign_that_is_over_has_no_alerts(firing: Engine) -> None:
    later = NOW + 4000
    assert _after(firing, scene(later, {"a": 0}, end=later)) == []
    assert _after(firing, scene(later + 6000, {"a": 0}, end=later)) == ["resolved"]


def test_an_alert_whose_rule_was_removed_is_resolved(firing: Engine) -> None:
    low = "rules: [{name: stock_low, severity: info, summary: s, runbook: r}]"
    engine = Engine(parse_rules(low, "x"), firing.alerts.values())
    assert _after(engine, scene(NOW + 4000, {"a": 0})) == ["resolved"]
    assert _after(engine, scene(NOW + 5000, {"a": 0})) == []


def test_nothing_is_known_of_a_campaign_that_the_scene_lacks(firing: Engine) -> None:
    look = scene(NOW + 60_000, {})
    assert _after(firing, Scene(look.now, look.pipeline, {})) == []
    assert [alert.state for alert in firing.alerts.values()] == ["firing"]


def test_a_rule_that_fails_blinds_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(load_rules(None))

    def broken(scene: CampaignScene) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(engine.detectors["traffic_spike"], "judge", broken)
    told = [state for second in range(3) for state in _after(engine, scene(NOW + second * 1000, {"a": 0}))]
    assert told == ["firing"]


def test_a_text_that_names_what_its_detector_does_not_say_has_a_hole() -> None:
    """Catches: a page that is not sent, or a service that ends, because of a word in a template."""
    text = "rules: [{name: stock_out, severity: critical, summary: '{item_id} on {channel}', runbook: r}]"
    engine = Engine(parse_rules(text, "x"))
    outcome = engine.evaluate(scene(NOW, {"a": 0}), lambda alert, now: False)
    assert [t.alert.summary for t in outcome.transitions] == ["a on {channel}"]
