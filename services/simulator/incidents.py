"""Incidents on demand: what is asked for, when it begins, and how it shows in the events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from services.common.errors import ConfigurationError
from services.simulator.catalogue import Catalogue
from services.simulator.orders import Shop
from services.simulator.timeline import SECOND_MS, Timeline, Truth
from services.simulator.visits import Visit

logger = logging.getLogger(__name__)

_SECONDS = {"spike": 30, "stock_out": 60, "refund_burst": 40, "silence": 40}
_OPTIONS = {
    "spike": {"channel", "factor"},
    "stock_out": {"item"},
    "refund_burst": {"item", "count"},
    "silence": set[str](),
}
_RULES = {
    "spike": "traffic_spike",
    "stock_out": "stock_out",
    "refund_burst": "refund_anomaly",
    "silence": "data_silence",
}
_FACTOR = 8.0
_REFUNDS = 48
_ZERO_REPORT_SECONDS = 5
_TRUSTED_SECONDS = 10
_FORM = "TYPE@OFFSET[:SECONDS][:key=value]..., e.g. spike@60:30:channel=live:factor=8"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: type, seconds after the live part began, how long, how often again (0 is never)."""

    type: str
    offset: int
    seconds: int
    options: dict[str, str] = field(default_factory=dict)
    every: int = 0


def parse_incident(text: str) -> Incident:
    """Reads `TYPE@OFFSET[:SECONDS][:key=value]...`. Raises `ConfigurationError` that says what is wrong."""
    name, at, rest = text.partition("@")
    if name not in _SECONDS or not at:
        raise ConfigurationError(f"incident {text!r}: write {_FORM}; types are {', '.join(_SECONDS)}")
    offset, *parts = rest.split(":")
    seconds = str(_SECONDS[name])
    if parts and "=" not in parts[0]:
        seconds = parts.pop(0)
    if not offset.isdecimal() or not seconds.isdecimal() or int(seconds) < 1:
        raise ConfigurationError(f"incident {text!r}: offset and duration are whole seconds; write {_FORM}")
    options = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key not in _OPTIONS[name] or not value:
            known = ", ".join(sorted(_OPTIONS[name])) or "none"
            raise ConfigurationError(f"incident {text!r}: {part!r} is no option of {name}; it knows {known}")
        options[key] = value
    try:
        sane = float(options.get("factor", "2")) > 1 and int(options.get("count", "1")) > 0
    except ValueError:
        sane = False
    if not sane:
        raise ConfigurationError(f"incident {text!r}: factor is a number above 1, count one above 0")
    return Incident(name, int(offset), int(seconds), options)


def demo_incidents() -> list[Incident]:
    """One of each within the first four minutes, and again every five minutes."""
    times = [("spike", 45, 25), ("stock_out", 80, 40), ("refund_burst", 130, 40), ("silence", 200, 25)]
    return [Incident(name, offset, seconds, every=300) for name, offset, seconds in times]


class Incidents:
    """The actor that brings incidents about; nothing happens before `go_live`.

    It comes first among a timeline's actors, since a silence moves the present second.
    """

    def __init__(
        self,
        incidents: Sequence[Incident],
        *,
        seed: int,
        shop: Shop,
        catalogue: Catalogue,
        channels: Sequence[str],
    ) -> None:
        for incident in incidents:
            _check(incident, shop, catalogue, channels)
            _check_silences(incident, incidents)
        self._rng = Random(f"incidents/{seed}")
        self._shop = shop
        self._catalogue = catalogue
        # The default: a channel where eight times the visits stand out and the machine still follows.
        self._channels = sorted(channels, key=lambda channel: channel != "live")
        self._waiting = list(incidents)
        self._round: dict[str, int] = {}
        self._ongoing: list[tuple[int, Callable[[Timeline], None], Callable[[Timeline], None]]] = []
        self.live_ms: int | None = None
        self.silences: list[tuple[int, int]] = []
        """Start and end of each silence so far, epoch milliseconds."""

    def go_live(self, live_ms: int) -> None:
        """Offsets count from this moment on (a whole second, not before the timeline's present)."""
        self.live_ms = live_ms

    def silence_after(self, at_ms: int) -> int:
        """How many ms of silence will begin from now on before the moment, each putting it off further."""
        if self.live_ms is None:
            return 0
        pending = [incident for incident in self._waiting if incident.type == "silence"]
        total = 0
        while pending:
            incident = min(pending, key=lambda one: one.offset)
            if self.live_ms + incident.offset * SECOND_MS >= at_ms + total:
                break
            total += incident.seconds * SECOND_MS
            pending.remove(incident)
            if incident.every:
                pending.append(replace(incident, offset=incident.offset + incident.every))
        return total

    def tick(self, timeline: Timeline) -> None:
        """Begins what is due, goes on with what has begun, ends what is over."""
        if self.live_ms is None:
            return
        # A silence first: what else was due in it begins when it is over.
        for incident in sorted(self._waiting, key=lambda one: (one.type != "silence", one.offset)):
            starts = self.live_ms + incident.offset * SECOND_MS
            if starts > timeline.now_ms:
                continue
            self._waiting.remove(incident)
            if incident.every:
                self._waiting.append(replace(incident, offset=incident.offset + incident.every))
            begin = {
                "spike": self._spike,
                "stock_out": self._stock_out,
                "refund_burst": self._refund_burst,
                "silence": self._silence,
            }[incident.type]
            begin(timeline, incident)
        for entry in list(self._ongoing):
            ends_ms, go_on, end = entry
            if timeline.now_ms < ends_ms:
                go_on(timeline)
            else:
                self._ongoing.remove(entry)
                end(timeline)

    def _spike(self, timeline: Timeline, incident: Incident) -> None:
        turn = self._turn(incident)
        channel = incident.options.get("channel", self._channels[turn % len(self._channels)])
        factor = float(incident.options.get("factor", _FACTOR))
        seconds = list(timeline.page_views)[-60:]
        usual = sum(second[channel] for second in seconds) / max(len(seconds), _TRUSTED_SECONDS)
        owed = 0.0
        ends_ms = timeline.now_ms + incident.seconds * SECOND_MS

        def go_on(timeline: Timeline) -> None:
            nonlocal owed
            owed += (factor - 1) * usual
            while owed >= 1:
                at = timeline.now_ms + self._rng.randrange(SECOND_MS)
                visit = Visit(timeline, self._rng, timeline.next_id("v"), channel, at)
                visit.page("/flash-sale")
                owed -= 1
                # They look at one thing and leave, all before the spike ends.
                if visit.wait(500) < ends_ms and owed >= 1 and self._rng.random() < 0.6:
                    visit.item("view_item", self._catalogue.draw(self._rng))
                    owed -= 1

        self._begin(timeline, incident, {"channel": channel}, go_on, factor=factor)

    def _stock_out(self, timeline: Timeline, incident: Incident) -> None:
        popular = [item.item_id for item in self._catalogue.items if self._shop.stock.knows(item.item_id)]
        item_id = incident.options.get("item", popular[self._turn(incident) % min(5, len(popular))])
        self._shop.stock.sell_out(timeline, item_id)
        passed = 0

        def go_on(timeline: Timeline) -> None:
            nonlocal passed
            passed += 1
            if passed % _ZERO_REPORT_SECONDS == 0:
                self._shop.stock.report(timeline, item_id)

        def end(timeline: Timeline) -> None:
            self._shop.stock.restock(timeline, item_id)

        self._begin(timeline, incident, {"item_id": item_id}, go_on, end)

    def _refund_burst(self, timeline: Timeline, incident: Incident) -> None:
        item_id = incident.options.get("item") or self._shop.most_refundable()
        wanted = int(incident.options.get("count", _REFUNDS))
        chosen = self._shop.refundable(item_id)[-wanted:] if item_id else []
        if item_id is None or not chosen:
            logger.warning("no refund burst: no order of the item has been paid yet")
            return
        step = incident.seconds * SECOND_MS / len(chosen)
        for index, order in enumerate(chosen):
            lines = [line for line in order.lines if line.item_id == item_id]
            at = timeline.now_ms + int(index * step + self._rng.random() * step)
            self._shop.refund(timeline, order, lines, "quality_defect", at)
        self._begin(timeline, incident, {"item_id": item_id}, refunds=len(chosen))

    def _silence(self, timeline: Timeline, incident: Incident) -> None:
        starts = timeline.now_ms
        timeline.pause(incident.seconds * SECOND_MS)
        self.silences.append((starts, timeline.now_ms))
        timeline.notices.append(
            Truth("silence", _RULES["silence"], timeline.campaign_id, {}, starts, timeline.now_ms, {})
        )

    def _begin(
        self,
        timeline: Timeline,
        incident: Incident,
        labels: dict[str, str],
        go_on: Callable[[Timeline], None] = lambda _: None,
        end: Callable[[Timeline], None] = lambda _: None,
        **details: float,
    ) -> None:
        ends_ms = timeline.now_ms + incident.seconds * SECOND_MS
        self._ongoing.append((ends_ms, go_on, end))
        timeline.notices.append(
            Truth(
                incident.type,
                _RULES[incident.type],
                timeline.campaign_id,
                labels,
                timeline.now_ms,
                ends_ms,
                details,
            )
        )

    def _turn(self, incident: Incident) -> int:
        turn = self._round.get(incident.type, 0)
        self._round[incident.type] = turn + 1
        return turn


def _check(incident: Incident, shop: Shop, catalogue: Catalogue, channels: Sequence[str]) -> None:
    channel, item_id = incident.options.get("channel"), incident.options.get("item")
    if channel is not None and channel not in channels:
        raise ConfigurationError(f"{incident.type}: no channel {channel!r}; there are {', '.join(channels)}")
    if item_id is not None and item_id not in catalogue.by_id:
        raise ConfigurationError(f"{incident.type}: no item {item_id!r}, e.g. {catalogue.items[0].item_id!r}")
    if item_id is not None and incident.type == "stock_out" and not shop.stock.knows(item_id):
        raise ConfigurationError(f"{incident.type}: the stock of item {item_id!r} is not followed")


def _check_silences(silence: Incident, others: Sequence[Incident]) -> None:
    # A silence puts off what goes on at the same time, and the ground truth would no longer be true.
    if silence.type != "silence":
        return
    for other in others:
        apart = other.offset + other.seconds <= silence.offset or silence.offset + silence.seconds <= other.offset
        if other is not silence and not apart:
            raise ConfigurationError(
                f"the silence at {silence.offset} s overlaps the {other.type} at {other.offset} s; set them apart"
            )
