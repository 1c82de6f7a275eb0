"""Who is told, and of what next: pure decisions, by example and by property."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.receivers import Match
from schemas.receivers import Receiver as Entry
from services.alerts.alert import Transition
from services.alerts.delivery.health import Health, ReceiverState
from services.alerts.delivery.queue import PATIENCE, choose, in_turn, key_of
from services.alerts.delivery.receiver import Receiver
from services.alerts.delivery.routing import DELIVERY_FAILURE, after_escalation, route
from services.alerts.delivery.sinks.base import Sink
from services.alerts.delivery.sinks.slack import Slack
from services.alerts.delivery.sinks.webhook import Webhook
from services.alerts.detectors.delivery_failure import DeliveryFailure, DeliveryFailureParameters
from services.alerts.lifecycle import Sighting
from services.alerts.scene import PipelineScene
from tests.alerts.delivery.notices import NOW, notice

SLACK, WEBHOOK = Slack("http://x"), Webhook(["http://x"])


def receiver(name: str, sink: Sink = SLACK, **fields: Any) -> Receiver:
    entry = Entry(name=name, type="slack", url="${X}", **fields)
    return Receiver(entry, sink, "http://war.room")


def names(receivers: Sequence[Receiver], told: Transition) -> list[str]:
    return [found.name for found in route(receivers, told)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, True),
        ({"min_severity": "critical"}, True),
        ({"match": Match(campaign=["double-11"])}, True),
        ({"match": Match(campaign=["other"])}, False),
        ({"match": Match(owner=["growth-oncall"])}, True),
        ({"match": Match(owner=["supply"])}, False),
        ({"match": Match(rule=["stock_out"], labels={"item_id": ["sku-2", "sku-1"]})}, True),
        ({"match": Match(rule=["stock_out"], labels={"item_id": ["sku-2"]})}, False),
        ({"match": Match(labels={"channel": ["app"]})}, False),
    ],
)
def test_all_conditions_of_a_receiver_must_fit(fields: dict[str, Any], told: bool) -> None:
    assert names([receiver("a", **fields)], notice()) == (["a"] if told else [])


def test_what_is_not_bad_enough_is_not_told() -> None:
    receivers = [receiver("all"), receiver("bad", min_severity="critical"), receiver("some", min_severity="warning")]
    assert names(receivers, notice(severity="warning")) == ["all", "some"]


def test_an_escalation_goes_elsewhere_and_its_end_follows_it() -> None:
    receivers = [receiver("first"), receiver("second", escalation=True)]
    assert names(receivers, notice("firing")) == ["first"]
    assert names(receivers, notice("escalated")) == ["second"]
    assert names(receivers, notice("resolved")) == ["first", "second"]
    assert [after_escalation(r, notice("resolved")) for r in receivers] == [False, True]
    # Where nobody is there for it, those who know already hear that nobody has come.
    assert names(receivers[:1], notice("escalated")) == ["first"]
    picky = [receiver("first"), receiver("second", escalation=True, match=Match(campaign=["other"]))]
    assert names(picky, notice("escalated")) == ["first"]


def test_a_webhook_hears_of_firing_and_resolved_alone() -> None:
    for kind, told in (("firing", True), ("acknowledged", False), ("escalated", False), ("resolved", True)):
        assert bool(route([receiver("w", WEBHOOK)], notice(kind))) is told
    assert route([receiver("w", WEBHOOK)], notice("firing", seq=2)) != []
    assert route([receiver("w", WEBHOOK)], replace(notice(), notice="")) == []


def test_a_receiver_that_fails_is_told_of_by_all_others_whatever_they_asked_for() -> None:
    receivers = [
        receiver("broken"),
        receiver("narrow", match=Match(campaign=["double-11"])),
        receiver("later", escalation=True),
    ]
    about = notice(rule=DELIVERY_FAILURE, labels={"campaign_id": "*", "receiver": "broken"})
    assert names(receivers, about) == ["narrow"]


severities = st.sampled_from(["critical", "warning", "info"])


@st.composite
def queues(draw: st.DrawFn) -> list[Transition]:
    """Notices of several alerts, mixed, each alert's in its order."""
    made = []
    seqs: dict[int, int] = {}
    severity = {n: draw(severities) for n in range(6)}
    for n in draw(st.lists(st.integers(0, 5), min_size=1, max_size=30)):
        seqs[n] = seqs.get(n, 0) + 1
        kind = draw(st.sampled_from(["firing", "acknowledged", "escalated", "resolved"]))
        made.append(notice(kind, labels={"campaign_id": "c", "item_id": str(n)}, severity=severity[n], seq=seqs[n]))
    return made


@given(queues(), st.integers(0, 40), st.sampled_from([1, 5, 20]), st.booleans())
def test_whatever_is_chosen_an_alerts_notices_stay_in_order_and_all_go(
    waiting: list[Transition], available: int, together: int, gathers: bool
) -> None:
    left, sent = list(waiting), []
    while left:
        chosen = choose(left, available=available, together=together, gathers=gathers)
        assert 1 <= len(chosen) <= together
        keys = {key_of(found) for found in chosen}
        assert len(keys) == len(chosen)
        left = [found for found in left if key_of(found) not in keys]
        sent += chosen
    assert sorted(map(key_of, sent)) == sorted(map(key_of, waiting))
    for alert_id in {found.alert.id for found in waiting}:
        order = [found.alert.seq for found in sent if found.alert.id == alert_id]
        assert order == sorted(order)


@given(queues(), st.sampled_from([1, 5]))
def test_when_there_is_no_room_for_each_the_worst_goes_first(waiting: list[Transition], together: int) -> None:
    chosen = choose(waiting, available=0, together=together, gathers=False)
    last = {found.alert.id: found for found in waiting}
    burning = {
        i for i, found in last.items() if found.notice in {"firing", "escalated"} and found.alert.severity == "critical"
    }
    if burning:
        assert chosen[0].alert.id in burning


@given(queues(), st.data())
def test_no_alert_waits_behind_one_that_failed_more_often(waiting: list[Transition], data: st.DataObject) -> None:
    attempts = [data.draw(st.integers(0, 2 * PATIENCE)) for _ in waiting]
    turn = in_turn(list(zip(waiting, attempts, strict=True)))
    tried = {n.alert.id: 0 for n in waiting}
    for told, count in zip(waiting, attempts, strict=True):
        tried[told.alert.id] = max(tried[told.alert.id], count)
    if min(tried.values()) < PATIENCE:
        # As they came, without those that failed too often.
        assert turn == [n for n in waiting if tried[n.alert.id] < PATIENCE]
    else:
        assert [tried[n.alert.id] for n in turn] == sorted(tried[n.alert.id] for n in waiting)
        for alert_id in tried:
            assert [n for n in turn if n.alert.id == alert_id] == [n for n in waiting if n.alert.id == alert_id]


def test_one_that_was_refused_in_company_goes_alone() -> None:
    waiting = [notice(labels={"campaign_id": "c", "item_id": str(n)}) for n in range(3)]
    alone = {key_of(waiting[0])}
    assert choose(waiting, available=0, together=20, gathers=True, alone=alone) == waiting[:1]
    assert choose(waiting[1:], available=0, together=20, gathers=True, alone=set()) == waiting[1:]


def judged(health: Health, now: int = NOW) -> Sighting | None:
    scene = PipelineScene(now, now, [], {}, 60, None, [ReceiverState("a", "slack", health, 2)])
    verdicts = DeliveryFailure(DeliveryFailureParameters()).judge(scene)
    assert verdicts is not None
    return verdicts[0].sighting if verdicts else None


def test_a_receiver_is_failing_after_a_minute_or_at_once_when_something_was_lost() -> None:
    unknown = Health()
    assert judged(unknown) is Sighting.HOLDS
    failing = unknown.failed(NOW, "HTTP 500").failed(NOW + 30_000, "HTTP 502")
    assert (failing.failing_since, failing.detail) == (NOW, "HTTP 502")
    assert judged(failing, NOW + 59_999) is Sighting.HOLDS
    assert judged(failing, NOW + 60_000) is Sighting.BREACH
    assert judged(unknown.gave_up(NOW, "HTTP 404"), NOW) is Sighting.BREACH
    assert judged(failing.gave_up(NOW, "x").succeeded(), NOW) is None
