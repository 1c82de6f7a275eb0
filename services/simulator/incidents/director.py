"""The actor that brings incidents about, each at its time, and keeps the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from services.common.errors import ConfigurationError
from services.simulator.catalogue import Catalogue
from services.simulator.conditions import Conditions
from services.simulator.incidents.kind import CAMPAIGN_OF_PIPELINE, Begun, Course, Kind, Prepared, Stage
from services.simulator.incidents.registry import KINDS
from services.simulator.incidents.request import Incident
from services.simulator.orders import Shop
from services.simulator.timeline import SECOND_MS, Timeline, Truth


@dataclass(slots=True)
class _Ongoing:
    ends_ms: int
    course: Course
    truth: Truth


class Incidents:
    """Nothing happens before `go_live`.

    It comes first among a timeline's actors, since a silence moves the present second. With `crowd` there is a public
    that buys; without, what needs one is refused. With `origin_ms` offsets count from that moment and not from when
    the live part begins. Raises `ConfigurationError` for what cannot happen.
    """

    def __init__(
        self,
        incidents: Sequence[Incident],
        *,
        seed: int,
        shop: Shop,
        catalogue: Catalogue,
        channels: Sequence[str],
        conditions: Conditions | None = None,
        crowd: bool = True,
        origin_ms: int | None = None,
        topic_prefix: str = "campaign.",
        currency: str = "CNY",
    ) -> None:
        for incident in incidents:
            _check(incident, shop, catalogue, channels, crowd)
            _check_silences(incident, incidents)
        self._stage = Stage(
            Random(f"incidents/{seed}"),
            shop,
            catalogue,
            # The default: a channel where eight times the visits stand out and the machine still follows.
            sorted(channels, key=lambda channel: channel != "live"),
            conditions or Conditions(),
            topic_prefix,
            currency,
        )
        self._waiting = list(incidents)
        self._prepared: list[tuple[Incident, Prepared]] = []
        self._round: dict[str, int] = {}
        self._ongoing: list[_Ongoing] = []
        self._origin_ms = origin_ms
        self.live_ms: int | None = None
        self.silences: list[tuple[int, int]] = []
        """Start and end of each silence so far, epoch milliseconds."""
        self.truths: list[Truth] = []
        """Each incident that is over, from when it first showed."""

    def go_live(self, live_ms: int) -> None:
        """The live part begins at this moment (a whole second, not before the timeline's present)."""
        self.live_ms = live_ms

    @property
    def origin_ms(self) -> int | None:
        """The moment that offsets count from; None as long as it is not known."""
        return self.live_ms if self._origin_ms is None else self._origin_ms

    def silence_after(self, at_ms: int) -> int:
        """How many ms of silence will begin from now on before the moment, each putting it off further."""
        if self.origin_ms is None:
            return 0
        pending = [incident for incident in self._waiting if incident.type == "silence"]
        total = 0
        while pending:
            incident = min(pending, key=lambda one: one.offset)
            if self.origin_ms + incident.offset * SECOND_MS >= at_ms + total:
                break
            total += incident.seconds * SECOND_MS
            pending.remove(incident)
            if incident.every:
                pending.append(replace(incident, offset=incident.offset + incident.every))
        return total

    def tick(self, timeline: Timeline) -> None:
        """Begins what is due, goes on with what has begun, ends what is over."""
        origin = self.origin_ms
        if origin is None:
            return
        # A silence first: what else was due in it begins when it is over.
        for incident in sorted(self._waiting, key=lambda one: (one.type != "silence", one.offset)):
            kind = KINDS[incident.type]
            starts_ms = origin + incident.offset * SECOND_MS
            self._prepare(timeline, kind, incident, starts_ms)
            if starts_ms > timeline.now_ms:
                continue
            self._waiting.remove(incident)
            if incident.every:
                self._waiting.append(replace(incident, offset=incident.offset + incident.every))
            self._begin(timeline, kind, incident)
        for entry in list(self._ongoing):
            if timeline.now_ms < entry.ends_ms:
                entry.course.go_on(timeline)
            else:
                self._ongoing.remove(entry)
                entry.course.end(timeline)
                self._close(entry)

    def close(self) -> None:
        """The ground truth of what has begun and is not over."""
        for entry in self._ongoing:
            self._close(entry)
        self._ongoing.clear()

    def _prepare(self, timeline: Timeline, kind: Kind, incident: Incident, starts_ms: int) -> None:
        if kind.prepare is not None and not any(known is incident for known, _ in self._prepared):
            orders = kind.prepare(self._stage, timeline, starts_ms, incident.options)
            self._prepared.append((incident, orders))

    def _begin(self, timeline: Timeline, kind: Kind, incident: Incident) -> None:
        turn = self._round.get(kind.name, 0)
        self._round[kind.name] = turn + 1
        starts_ms = timeline.now_ms
        ends_ms = starts_ms + incident.seconds * SECOND_MS
        prepared = next((orders for known, orders in self._prepared if known is incident), ())
        self._prepared = [(known, orders) for known, orders in self._prepared if known is not incident]
        course = kind.begin(self._stage, timeline, Begun(turn, starts_ms, ends_ms, incident.options, prepared))
        if course is None:
            return
        if timeline.now_ms > starts_ms:
            self.silences.append((starts_ms, timeline.now_ms))
        # Not a copy: the course goes on writing what comes of it.
        details = course.details
        details |= {"consequences": list(kind.consequences)} if kind.rule else {"decoy": kind.name}
        truth = Truth(
            kind.name if kind.rule else "decoy",
            kind.rule,
            CAMPAIGN_OF_PIPELINE if kind.about_pipeline else timeline.campaign_id,
            course.labels,
            starts_ms,
            ends_ms,
            details,
        )
        timeline.notices.append(truth)
        self._ongoing.append(_Ongoing(ends_ms, course, truth))

    def _close(self, entry: _Ongoing) -> None:
        truth, onset = entry.truth, entry.truth.starts_ms
        if entry.course.onset is not None:
            shown = entry.course.onset()
            if shown is None:
                return
            onset = max(onset, shown)
        self.truths.append(truth._replace(starts_ms=onset))


def _check(incident: Incident, shop: Shop, catalogue: Catalogue, channels: Sequence[str], crowd: bool) -> None:
    channel, item_id = incident.options.get("channel"), incident.options.get("item")
    if KINDS[incident.type].needs_crowd and not crowd:
        raise ConfigurationError(f"{incident.type}: the buyers here are real; it can be had of `warroom simulate`")
    if channel is not None and channel not in channels:
        raise ConfigurationError(f"{incident.type}: no channel {channel!r}; there are {', '.join(channels)}")
    if item_id is not None and item_id not in catalogue.by_id:
        raise ConfigurationError(f"{incident.type}: no item {item_id!r}, e.g. {catalogue.items[0].item_id!r}")
    if item_id is not None and incident.type.startswith("stock") and not shop.stock.knows(item_id):
        raise ConfigurationError(f"{incident.type}: the stock of item {item_id!r} is not followed")


def _check_silences(silence: Incident, others: Sequence[Incident]) -> None:
    # A silence puts off what goes on at the same time, and the ground truth would no longer be true.
    if silence.type != "silence":
        return
    for other in others:
        if other is not silence and silence.overlaps(other):
            raise ConfigurationError(
                f"the silence at {silence.offset} s overlaps the {other.type} at {other.offset} s; set them apart"
            )
