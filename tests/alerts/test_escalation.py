"""Whom nobody's silence reaches: when an alert is escalated, and when not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.lifecycle import Sighting
from tests.alerts.stage import Stage, rules

BAD = {"app": Sighting.BREACH}


def stage(**stated: Any) -> Stage:
    made = Stage(rules(one={"keep_firing_for": "5s", **stated}))
    made.bad["one"] = dict(BAD)
    return made


def escalated_at(made: Stage) -> list[int]:
    """Seconds from the page to each escalation."""
    fired = next(t.at for t in made.told if t.notice == "firing")
    return [(t.at - fired) // 1000 for t in made.told if t.notice == "escalated"]


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ({}, [300, 600, 900]),
        ({"escalate_after": "1m", "escalate_times": 2}, [60, 120]),
        ({"severity": "warning"}, []),
        ({"severity": "warning", "escalate_after": {"warning": "20m"}}, [1200]),
        ({"escalate_after": "0s"}, []),
        ({"escalate_after": {"warning": "1m"}}, []),
    ],
)
def test_what_nobody_takes_on_is_escalated(stated: dict[str, Any], seconds: list[int]) -> None:
    made = stage(**stated)
    made.look(2000)
    assert escalated_at(made) == seconds


def test_an_acknowledgement_ends_it() -> None:
    made = stage()
    made.look(400)
    made.acknowledge("lin")
    made.look(1000)
    assert escalated_at(made) == [300]
    assert [notice for _, notice in made.notices()] == ["firing", "escalated", "acknowledged"]


def test_what_is_silenced_or_over_is_not_escalated() -> None:
    made = stage()
    made.look(100)
    made.silenced = lambda alert, now: "a silence"
    made.look(900)
    assert escalated_at(made) == []
    made.silenced = lambda alert, now: False
    made.look(2)
    assert len(escalated_at(made)) == 1
    made.bad.clear()
    made.look(1000)
    assert made.notices()[-1] == ("one", "resolved")
    assert len(escalated_at(made)) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 40, 70, 200]), st.sampled_from(["", "ack", "silence", "speak", "restart", "bad", "calm"])
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(STEPS)
def test_the_laws_of_escalation(steps: list[tuple[int, str]]) -> None:
    """Never twice within its distance, never more than its number, never once somebody has taken it on."""
    made = stage(escalate_after="1m", escalate_times=2)
    for seconds, what in steps:
        match what:
            case "ack":
                made.acknowledge("lin")
            case "silence":
                made.silenced = lambda alert, now: "a silence"
            case "speak":
                made.silenced = lambda alert, now: False
            case "restart":
                made.restart()
            case "bad":
                made.bad["one"] = dict(BAD)
            case "calm":
                made.bad["one"] = {}
        made.look(seconds)
    told, count, taken = 0, 0, False
    for transition in made.told:
        match transition.notice:
            case "firing":
                told, count, taken = transition.at, 0, False
            case "acknowledged":
                taken = True
            case "escalated":
                assert not taken
                assert transition.at - told >= 60_000
                told, count = transition.at, count + 1
                assert count <= 2
