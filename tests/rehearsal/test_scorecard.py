"""The marking of a rehearsal, on truths and pages made by hand and by chance."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rehearsal.scorecard import (
    CONSEQUENCE_GRACE_MS,
    GRACE_MS,
    Page,
    Score,
    deadline,
    detects,
    joined,
    score,
)
from services.simulator.timeline import Truth

MINUTE = 60_000


def truth(rule: str = "stock_out", start: int = 0, end: int = MINUTE, campaign: str = "c", **more: Any) -> Truth:
    """An incident whose labels are those of `labels`."""
    details = {"consequences": list(more.pop("consequences", ()))}
    return Truth(more.pop("type", "made"), rule, campaign, more.pop("labels", {}), start, end, details)


def page(number: int, rule: str = "stock_out", at: int = 1000, **labels: str) -> Page:
    """A page of the campaign `c` unless the labels name another."""
    campaign = labels.pop("campaign_id", "c")
    return Page(f"a{number}", rule, campaign, {"campaign_id": campaign, **labels}, at)


def test_an_incident_is_found_by_its_rule_and_labels_and_the_delay_counts_from_its_onset() -> None:
    """Catches: labels of the truth that are ignored, labels of the rule that are required, a delay from elsewhere."""
    incident = truth(start=5_000, end=65_000, labels={"item_id": "i1"})
    marked = score([incident], [page(1, at=12_000, item_id="i1", team="growth")])
    assert [found.delay_ms for found in marked.found] == [7_000]
    assert not marked.missed
    assert not marked.false
    assert score([incident], [page(1, at=12_000, item_id="i2")]).found == []
    assert score([incident], [page(1, at=12_000)]).found == []
    assert score([incident], [page(1, "stock_low", 12_000, item_id="i1")]).found == []


@pytest.mark.parametrize(
    ("at", "found"),
    [(4_999, False), (5_000, True), (65_000 + GRACE_MS, True), (65_000 + GRACE_MS + 1, False)],
)
def test_a_page_before_the_onset_or_long_after_the_end_is_no_detection(at: int, found: bool) -> None:
    """Catches: a rule that happened to page before the incident is praised for it."""
    marked = score([truth(start=5_000, end=65_000)], [page(1, at=at)])
    assert bool(marked.found) is found
    assert bool(marked.missed) is not found
    assert [false.why for false in marked.false] == ([] if found else ["unexplained"])


def test_of_a_rehearsal_that_was_stopped_only_what_is_overdue_was_missed() -> None:
    """Catches: an incident of the last minute that counts as missed, and one that was found and is forgotten."""
    told = [truth(start=0, end=MINUTE, labels={"item_id": item}) for item in ("i1", "i2")]
    marked = score(told, [page(1, item_id="i1")], until_ms=MINUTE + GRACE_MS - 1)
    assert (len(marked.found), len(marked.missed), len(marked.false)) == (1, 0, 0)
    assert len(score(told, [page(1, item_id="i1")], until_ms=MINUTE + GRACE_MS).missed) == 1


def test_a_rule_of_a_long_window_has_longer() -> None:
    """Catches: pace and return, which are told over many minutes, held to a minute."""
    slow = truth("gmv_behind_target", 0, MINUTE)
    assert deadline(slow) > deadline(truth("stock_out", 0, MINUTE))
    assert score([slow], [page(1, "gmv_behind_target", deadline(slow))]).found


def test_the_second_page_about_one_incident_is_a_false_one() -> None:
    """Catches: flapping that costs nothing."""
    marked = score([truth()], [page(2, at=30_000), page(1, at=10_000)])
    assert [found.page.alert_id for found in marked.found] == ["a1"]
    assert [(false.page.alert_id, false.why) for false in marked.false] == [("a2", "duplicate")]


def test_a_consequence_is_accepted_once_for_each_thing_it_names() -> None:
    """Catches: an outage that excuses everything, or the same page again and again."""
    outage = truth("payment_failure", 0, MINUTE, labels={"channel": "app"}, consequences=["conversion_drop"])
    pages = [
        page(1, "payment_failure", 5_000, channel="app"),
        page(2, "conversion_drop", 20_000, channel="app"),
        page(3, "conversion_drop", 30_000, channel="app"),
        page(4, "conversion_drop", 20_000, channel="web"),
        page(5, "traffic_drop", 20_000, channel="app"),
        page(6, "conversion_drop", MINUTE + CONSEQUENCE_GRACE_MS + 1, channel="app"),
    ]
    marked = score([outage], pages)
    assert [one.page.alert_id for one in marked.accepted] == ["a2"]
    assert sorted(false.page.alert_id for false in marked.false) == ["a3", "a4", "a5", "a6"]


def test_each_of_several_culprits_is_paged_once() -> None:
    """Catches: three swindlers of one incident of whom the second is a false page, or the fourth is let pass."""
    fraud = Truth("refund_fraud", "refund_abuse", "c", {}, 0, MINUTE, {"user_ids": ["u1", "u2", "u3"]})
    suspects = ["a", "b", "b", "c", "d"]
    marked = score([fraud], [page(n, "refund_abuse", 1_000 * (n + 1), suspect=s) for n, s in enumerate(suspects)])
    assert [found.page.alert_id for found in marked.found] == ["a0"]
    assert [one.page.alert_id for one in marked.accepted] == ["a1", "a3"]
    assert [(false.page.alert_id, false.why) for false in marked.false] == [("a2", "duplicate"), ("a4", "duplicate")]


def test_a_page_about_an_innocent_is_false_whatever_else_goes_on() -> None:
    """Catches: forty pages about customers beside one who brushes, of which none is counted."""
    brushing = Truth("brushing", "order_brushing", "c", {}, 0, MINUTE, {"refs": ["o1", "o2", "o3"]})
    innocent = replace(page(1, "order_brushing", 1_000, suspect="x"), refs=frozenset({"o7", "o8", "o1"}))
    guilty = replace(page(2, "order_brushing", 9_000, suspect="y"), refs=frozenset({"o2", "o3", "o9"}))
    marked = score([brushing], [innocent, guilty])
    assert [found.page.alert_id for found in marked.found] == ["a2"]
    assert [(false.page.alert_id, false.why) for false in marked.false] == [("a1", "unexplained")]


def test_an_alert_that_comes_back_is_paged_twice() -> None:
    """Catches: flapping that costs nothing because both pages are of one alert."""
    first = page(1)
    marked = score([truth()], [first, replace(first, number=2, told_at=40_000)])
    assert (len(marked.found), [false.why for false in marked.false]) == (1, ["duplicate"])


def test_decoys_ask_for_no_page_and_excuse_none() -> None:
    """Catches: a planned sale counted as missed, or a page about it let pass."""
    sale = truth("", type="decoy")
    assert score([sale], []).injected == 0
    marked = score([sale], [page(1, "traffic_spike", 10_000)])
    assert [false.why for false in marked.false] == ["unexplained"]
    assert marked.false[0].during


def test_who_was_not_told_was_not_helped() -> None:
    """Catches: an alert that is shown and never sent, praised as a detection or blamed as a false page."""
    quiet = replace(page(1), paged=False)
    marked = score([truth()], [quiet])
    assert marked.found == []
    assert marked.false == []
    assert "nobody was told" in marked.missed[0].note


def test_what_is_wrong_with_the_pipeline_is_one_incident_of_all_festivals() -> None:
    """Catches: ten festivals that share a topic, of which nine are said to have been missed."""
    labels = {"campaign_id": "*", "topic": "campaign.orders"}
    bursts = [truth("dead_letters", start, start + MINUTE, f"c{start}", labels=labels) for start in (0, 30_000)]
    told = page(1, "dead_letters", 20_000, campaign_id="*", topic="campaign.orders")
    marked = score(bursts, [told], festivals=2)
    assert (marked.injected, len(marked.found), len(marked.false)) == (1, 1, 0)


RULES = ("stock_out", "traffic_drop")

truths = st.lists(
    st.builds(
        lambda rule, start, length, item: truth(
            rule, start * 10_000, (start + length) * 10_000, labels={"item_id": item}, consequences=["traffic_drop"]
        ),
        st.sampled_from(RULES),
        st.integers(0, 30),
        st.integers(1, 10),
        st.sampled_from("ab"),
    ),
    max_size=5,
)
alerts = st.lists(st.tuples(st.sampled_from(RULES), st.integers(0, 50), st.sampled_from("ab")), max_size=6).map(
    lambda told: [page(n, rule, at * 10_000, item_id=item) for n, (rule, at, item) in enumerate(told)]
)


@given(truths, alerts, st.randoms())
def test_the_order_does_not_count(incidents: list[Truth], pages: list[Page], chance: Any) -> None:
    """Catches: marks that depend on how the store happened to answer."""
    first = score(incidents, pages)
    chance.shuffle(incidents)
    chance.shuffle(pages)
    assert score(incidents, pages) == first


@given(truths, alerts)
def test_every_page_is_used_once_and_every_incident_stands_once(incidents: list[Truth], pages: list[Page]) -> None:
    """Catches: a page that finds two incidents, one that vanishes, an incident found twice or in neither list."""
    marked = score(incidents, pages)
    used = [found.page.alert_id for found in marked.found] + [one.page.alert_id for one in marked.accepted]
    used += [false.page.alert_id for false in marked.false]
    assert sorted(used) == sorted(page.alert_id for page in pages)
    stand = [found.truth for found in marked.found] + [missed.truth for missed in marked.missed]
    assert sorted(stand, key=str) == sorted(joined(incidents), key=str)
    assert all(detects(found.page, found.truth) for found in marked.found)


@given(truths, alerts)
def test_no_other_way_of_matching_finds_more(incidents: list[Truth], pages: list[Page]) -> None:
    """Catches: a greedy choice that wastes a page. The oracle tries every assignment."""
    marked = score(incidents, pages)
    assert len(marked.found) == _most(joined(incidents), pages)


def _most(incidents: Sequence[Truth], pages: Sequence[Page]) -> int:
    if not incidents or not pages:
        return 0
    few, many = sorted((list(range(len(incidents))), list(range(len(pages)))), key=len)
    swapped = len(few) == len(pages) and len(pages) < len(incidents)
    best = 0
    for chosen in itertools.permutations(many, len(few)):
        pairs = zip(chosen, few, strict=True) if swapped else zip(few, chosen, strict=True)
        best = max(best, sum(detects(pages[p], incidents[t]) for t, p in pairs))
    return best


def test_nothing_injected_is_no_share_and_false_pages_are_a_festival() -> None:
    """Catches: a calm day that fails, or passes, for dividing by zero."""
    marked: Score = score([], [page(1), page(2)], festivals=2)
    assert marked.found_share is None
    assert marked.false_per_festival == 1
