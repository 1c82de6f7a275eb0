"""One incident for one cause: who is paged, in whatever order cause and effects come and go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.incidents import SHIPPED, Effect, Incidents, incidents_of
from services.alerts.lifecycle import Sighting, State
from services.alerts.rules.load import load_rules
from services.common.errors import ConfigurationError
from tests.alerts.stage import Stage, rules
from tests.alerts.test_pages import ALERT

BAD, CLEAR, HOLDS, UNKNOWN = Sighting.BREACH, Sighting.CLEAR, Sighting.HOLDS, Sighting.UNKNOWN

SHOP: dict[str, dict[str, Any]] = {
    "payments": {},
    "conversion": {"inhibited_by": [{"rule": "payments", "equal": ["channel"]}], "wait_for_cause": "10s"},
    "turnover": {"inhibited_by": [{"rule": "conversion"}], "wait_for_cause": 0},
}


@pytest.fixture
def stage() -> Stage:
    """Payments cause conversion to drop on the same channel, and that the turnover, which has no channel, to lag."""
    return Stage(rules(**SHOP))


def rows(stage: Stage) -> list[tuple[str, str, str, str]]:
    return [(t.alert.rule, t.alert.state.value, t.alert.mute, t.notice) for t in stage.told]


def test_an_effect_of_an_open_cause_is_recorded_and_not_paged(stage: Stage) -> None:
    stage.bad["payments"] = {"app": BAD}
    stage.look(5)
    stage.bad |= {"conversion": {"app": BAD}, "turnover": {"": BAD}}
    stage.look(30)
    assert rows(stage) == [
        ("payments", "firing", "", "firing"),
        ("conversion", "firing", "inhibited", ""),
        ("turnover", "firing", "inhibited", ""),
    ]
    cause, *effects = (transition.alert for transition in stage.told)
    # The cause of the cause gives the incident its name.
    assert {alert.incident for alert in (cause, *effects)} == {cause.id}
    assert cause.id in stage.told[1].note
    stage.bad.clear()
    stage.look(5)
    assert stage.notices() == [("payments", "firing"), ("payments", "resolved")]


def test_another_channel_is_another_incident(stage: Stage) -> None:
    stage.bad |= {"payments": {"web": BAD}, "conversion": {"app": BAD}}
    stage.look(15)
    assert stage.notices() == [("payments", "firing"), ("conversion", "firing")]


def test_a_cause_may_come_a_few_seconds_after_its_effect(stage: Stage) -> None:
    stage.bad["conversion"] = {"app": BAD}
    stage.look(6)
    stage.bad["payments"] = {"app": BAD}
    stage.look(20)
    assert stage.notices() == [("payments", "firing")]
    assert {transition.alert.incident for transition in stage.told[1:]} == {stage.told[1].alert.id}


def test_an_effect_that_was_paged_joins_the_incident_and_is_not_paged_again(stage: Stage) -> None:
    stage.bad["conversion"] = {"app": BAD}
    stage.look(15)
    stage.bad["payments"] = {"app": BAD}
    stage.look(5)
    stage.bad.pop("payments")
    stage.look(60)
    stage.bad.clear()
    stage.look(5)
    assert stage.notices() == [
        ("conversion", "firing"), ("payments", "firing"), ("payments", "resolved"), ("conversion", "resolved"),
    ]  # fmt: skip
    last = stage.told[-1].alert
    assert last.incident == next(t.alert.id for t in stage.told if t.alert.rule == "payments")


def test_what_outlasts_its_cause_is_paged_then(stage: Stage) -> None:
    stage.bad |= {"payments": {"app": BAD}, "conversion": {"app": BAD}}
    stage.look(5)
    stage.bad.pop("payments")
    stage.look(3)
    assert stage.notices()[-1] == ("conversion", "firing")
    assert stage.told[-1].note == "it has outlasted its cause"


def test_the_aftermath_of_a_cause_is_no_page() -> None:
    """The rule's own window still holds the outage after its end."""
    conversion = {"detector": "threshold", "metric": "conversion_rate", "condition": "< 0.5", "window": "2m"}
    stage = Stage(rules(**SHOP | {"conversion": SHOP["conversion"] | conversion}))
    stage.bad |= {"payments": {"app": BAD}, "conversion": {"app": BAD}}
    stage.look(5)
    stage.bad.pop("payments")
    stage.look(100)
    stage.restart()
    stage.look(15)
    assert stage.notices() == [("payments", "firing"), ("payments", "resolved")]
    stage.look(10)
    assert stage.notices()[2:] == [("conversion", "firing")]


def test_a_milder_alert_keeps_back_no_worse_one() -> None:
    stage = Stage(rules(**SHOP | {"payments": {"severity": "warning"}}))
    stage.bad |= {"payments": {"app": BAD}, "conversion": {"app": BAD}}
    stage.look(15)
    assert stage.notices() == [("payments", "firing"), ("conversion", "firing")]
    assert len({transition.alert.incident for transition in stage.told}) == 1


def test_a_page_that_comes_late_is_only_for_what_is_still_bad() -> None:
    stage = Stage(rules(**SHOP | {"conversion": SHOP["conversion"] | {"keep_firing_for": "1m"}}))
    stage.bad["conversion"] = {"app": BAD}
    stage.look(5)
    stage.bad.clear()
    stage.look(70)
    assert stage.notices() == []
    assert stage.told[-1].alert.state is State.RESOLVED


def test_of_many_topics_that_are_behind_the_first_stands_for_the_others() -> None:
    """Catches: five pages at once when ingest stops."""
    topics = [
        replace(ALERT, id=f"{number}", rule="ingest_lag", campaign_id="*", labels={"topic": f"t{number}"})
        for number in range(3)
    ]
    topics[1] = replace(topics[1], life=replace(topics[1].life, fired_at=1))
    causes = Incidents({"ingest_lag": SHIPPED["ingest_lag"]}, {"ingest_lag": "ingest_lag"}).among(topics)
    assert [causes.of(topic) for topic in topics] == [topics[1], None, topics[1]]
    assert causes.root(topics[1]) == topics[1]


def test_rules_that_would_wait_for_each_other_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="in a circle: conversion <- turnover <- conversion"):
        rules(conversion={"inhibited_by": [{"rule": "turnover"}]}, turnover={"inhibited_by": [{"rule": "conversion"}]})
    with pytest.raises(ConfigurationError, match="circle"):
        rules(one={"inhibited_by": [{"rule": "data_silence"}]})


def test_what_ships_has_no_circle_and_speaks_of_rules_that_there_are() -> None:
    """Catches: a cause or an effect under a name that no rule has, which would never be found."""
    rules = load_rules(None)
    assert set(SHIPPED) <= {rule.detector for rule in rules}
    causes = {cause.rule for effect in SHIPPED.values() for cause in effect.causes}
    assert causes <= {rule.name for rule in rules} | {rule.detector for rule in rules}
    incidents_of(rules)
    # What is a cause itself must not be kept waiting for long.
    assert all(SHIPPED.get(cause, Effect()).wait_ms <= 10_000 for cause in causes)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(list(SHOP)),
        st.sampled_from(["app", "web"]),
        st.sampled_from([BAD, BAD, CLEAR, HOLDS, UNKNOWN]),
        st.integers(1, 15),
        st.sampled_from(["", "", "", "restart", "lost"]),
    ),
    max_size=30,
)


def _alternate(told: list[str]) -> bool:
    return told == [("firing", "resolved")[n % 2] for n in range(len(told))]


@settings(max_examples=40)
@given(CHANGES)
def test_the_laws_of_a_page(changes: list[tuple[str, str, Sighting, int, str]]) -> None:
    """Whatever happens: no page under an open cause, each told at most once, and none is forgotten in the end."""
    stage = Stage(rules(**SHOP))
    for rule, channel, sighting, seconds, trouble in changes:
        stage.bad.setdefault(rule, {})["" if rule == "turnover" else channel] = sighting
        if trouble == "restart":
            stage.restart()
        stage.look(1, written=trouble != "lost")
        stage.look(seconds)
    for seen in stage.bad.values():
        seen |= {value: CLEAR if sighting is UNKNOWN else sighting for value, sighting in seen.items()}
    stage.look(60)

    notices: dict[str, list[str]] = {}
    opened: dict[str, tuple[str, str]] = {}
    for at in sorted({transition.at for transition in stage.told}):
        moment = [transition for transition in stage.told if transition.at == at]
        for transition in moment:
            alert = transition.alert
            opened.pop(alert.id, None)
            if alert.state is not State.RESOLVED:
                opened[alert.id] = (alert.rule, alert.labels.get("channel", ""))
        for transition in moment:
            if transition.notice in ("firing", "resolved"):
                notices.setdefault(transition.alert.id, []).append(transition.notice)
            if transition.notice == "firing" and transition.alert.rule == "conversion":
                assert ("payments", transition.alert.labels["channel"]) not in opened.values()
            if transition.notice == "firing" and transition.alert.rule == "turnover":
                assert not any(rule == "conversion" for rule, _ in opened.values())
    assert all(_alternate(told) for told in notices.values())
    # What is still bad has been paged, or its cause is open.
    for alert in stage.engine.alerts.values():
        if alert.state is State.FIRING and not alert.notified and alert.life.clear_since is None:
            assert alert.mute == "inhibited"
