"""What is known of a festival before it begins, as lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator

from services.simulator.day.festival import DayFestival, programme_truths
from services.simulator.incidents.kind import CAMPAIGN_OF_PIPELINE
from services.simulator.incidents.registry import KINDS
from services.simulator.timeline import SECOND_MS, Truth

_LABELS = {"channel": "channel", "item": "item_id"}


def planned_truths(festival: DayFestival) -> list[Truth]:
    """Incidents, decoys and sales in the order of their time, each as far as it is known before it happens.

    What comes of it, when it first shows in an event, and labels that depend on what was sold by then, stand in the
    ground truth. A silence puts off nothing here.
    """
    planned = [_planned(festival, number) for number in range(len(festival.planned))]
    sales = programme_truths(festival.programme, festival.source.timeline.campaign_id)
    return sorted([*planned, *sales], key=lambda truth: (truth.starts_ms, truth.type))


def plan_lines(festival: DayFestival) -> Iterator[str]:
    """One line of JSON for each, in the form of the ground truth."""
    for truth in planned_truths(festival):
        yield truth.as_json().decode()


def _planned(festival: DayFestival, number: int) -> Truth:
    incident = festival.planned[number]
    kind = KINDS[incident.type]
    starts_ms = festival.programme.start_ms + incident.offset * SECOND_MS
    labels = {_LABELS[name]: value for name, value in incident.options.items() if name in _LABELS}
    if kind.rule in ("order_brushing", "coupon_abuse", ""):
        # The suspect, or nobody, is at fault there, and not the channel.
        labels.pop("channel", None)
    details = {"offset": incident.offset, "options": incident.options}
    return Truth(
        incident.type if kind.rule else "decoy",
        kind.rule,
        CAMPAIGN_OF_PIPELINE if kind.about_pipeline else festival.source.timeline.campaign_id,
        labels,
        starts_ms,
        starts_ms + incident.seconds * SECOND_MS,
        details if kind.rule else {"decoy": incident.type, **details},
    )
