"""A festival of a day with its incidents and the truth about them, as a stream of arrivals: no Kafka, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.simulator.arrivals import Arrival, arrivals, lateness
from services.simulator.catalogue import festival_catalogue
from services.simulator.conditions import Conditions
from services.simulator.crowd import (
    EVENTS_PER_VISIT,
    LINES_PER_ORDER,
    ORDERS_PER_VISIT,
    PIECES_PER_LINE,
    Crowd,
)
from services.simulator.day.body import ATTAINABLE, CLICK_PRICE, day_campaign
from services.simulator.day.curve import DAY_MS
from services.simulator.day.planner import incident_plan
from services.simulator.day.programme import Programme, Variant, festival_programme, slowed
from services.simulator.festival import Expectation, rfc3339
from services.simulator.incidents import Incident, Incidents
from services.simulator.orders import Shop
from services.simulator.source import Source, capacity
from services.simulator.spend import EVERY_SECONDS, Spend
from services.simulator.stock import Stock
from services.simulator.timeline import SECOND_MS, Timeline, Truth
from services.simulator.world import CHANNELS

YEAR_MS = 364 * DAY_MS
"""The same day of the week, the year before."""

_STOCK_REPORTS = 0.01
_REMEMBERED = 60
_POPULAR = 20


@dataclass(frozen=True)
class DayFestival:
    """A festival that is about to be generated.

    `planned` are its incidents and decoys. `truths` fill as the arrivals are taken, each when it is over, and are
    complete with the last arrival: planned sales as decoys among them, with a rule that is empty.
    """

    programme: Programme
    planned: Sequence[Incident]
    source: Source
    seed: int
    disorder_ms: int
    duplicates: float

    @property
    def truths(self) -> list[Truth]:
        """What happened so far, in the order of its beginning."""
        return sorted(self.source.incidents.truths, key=lambda truth: (truth.starts_ms, truth.type))

    def arrivals(self) -> Iterator[Arrival]:
        """Every record in the order of arrival, with that moment. May be called once."""
        yield from arrivals(
            self.source.records(),
            seed=self.seed,
            duplicates=self.duplicates,
            disorder_ms=self.disorder_ms,
            silences=self.source.incidents.silences,
            delay=self.source.delay,
        )
        self.source.incidents.close()


class _End:
    """Ends the timeline with the festival, and tells the truth about what the programme holds."""

    def __init__(self, programme: Programme, incidents: Incidents, campaign_id: str) -> None:
        self._programme = programme
        self._incidents = incidents
        self._due = sorted(programme_truths(programme, campaign_id), key=lambda truth: truth.starts_ms)

    def tick(self, timeline: Timeline) -> None:
        """Called every second."""
        while self._due and self._due[0].starts_ms <= timeline.now_ms:
            truth = self._due.pop(0)
            timeline.notices.append(truth)
            self._incidents.truths.append(truth)
        if timeline.now_ms + SECOND_MS >= self._programme.end_ms:
            timeline.finish()


def festival_source(
    *,
    seed: int,
    start_ms: int,
    hours: float = 24,
    variant: Variant = "full",
    events_per_second: float = 15.0,
    campaign_id: str = "festival",
    baseline_campaign_id: str | None = None,
    incidents: Sequence[Incident] | None = None,
    slow: str = "",
    density: float = 1.0,
    disorder_ms: int = 500,
    duplicates: float = 0.0,
    topic_prefix: str = "campaign.",
    currency: str = "CNY",
) -> DayFestival:
    """A festival that starts at a moment (cut to the second) with so many events a second in the mean.

    `full` has 21 incidents and decoys a day times `density`, each kind once at the most.

    The same arguments yield the same bytes. `incidents` takes the place of those that are planned for `full`; offsets
    count from the start. `slow` names a phase in which far fewer people come than is planned. Best begun in the
    evening: then midnight opens the burst, and sales are ahead of an even pace all day. Raises `ConfigurationError`
    for incidents that cannot happen.
    """
    start_ms -= start_ms % SECOND_MS
    programme = festival_programme(seed, start_ms, hours, variant)
    if slow:
        programme = slowed(programme, slow)
    reports = events_per_second * _STOCK_REPORTS
    visits = max(0.1, (events_per_second - len(CHANNELS) / EVERY_SECONDS - reports) / EVENTS_PER_VISIT)
    timeline = Timeline(campaign_id, seed=seed, start_ms=start_ms)
    catalogue = festival_catalogue(seed)
    if incidents is None:
        popular = [item.item_id for item in catalogue.items[:_POPULAR]]
        incidents = incident_plan(programme, seed, visits, items=popular, density=density) if variant == "full" else ()
    expected = Expectation(
        visits_per_second=visits,
        orders_per_second=visits * ORDERS_PER_VISIT,
        order_cents=catalogue.mean_price_cents() * LINES_PER_ORDER * PIECES_PER_LINE,
    )
    conditions = Conditions()
    stock = Stock(
        catalogue.by_id, capacity(catalogue, expected.orders_per_second), seed=seed, reports_per_second=reports
    )
    shop = Shop(stock, refuse_sold_out=True, conditions=conditions, seed=seed, remembered=_REMEMBERED)
    director = Incidents(
        incidents,
        seed=seed,
        shop=shop,
        catalogue=catalogue,
        channels=list(CHANNELS),
        conditions=conditions,
        origin_ms=start_ms,
        topic_prefix=topic_prefix,
        currency=currency,
    )
    crowd = Crowd(
        catalogue,
        shop,
        seed=seed,
        channels=CHANNELS,
        visits_per_second=visits,
        intensity=programme.intensity,
        wave=programme.wave,
        customers=max(20_000, round(400 * events_per_second)),
        currency=currency,
        conditions=conditions,
    )
    spend = Spend(CHANNELS, seed=seed, currency=currency, price=CLICK_PRICE, conditions=conditions)
    source = Source(
        timeline,
        (director, crowd, stock, spend, _End(programme, director, campaign_id)),
        director,
        day_campaign(campaign_id, f"模拟大促 {campaign_id}", programme, expected, baseline_campaign_id),
        delay=lateness(conditions, seed),
    )
    return DayFestival(programme, tuple(incidents), source, seed, disorder_ms, duplicates)


def year_before(
    *,
    seed: int,
    start_ms: int,
    hours: float = 24,
    events_per_second: float = 12.0,
    campaign_id: str = "festival-before",
    variant: Variant = "flash",
    currency: str = "CNY",
) -> DayFestival:
    """The same festival 364 days earlier, somewhat smaller, when nothing went wrong: a baseline.

    Its programme is that of `full` too.
    """
    return festival_source(
        seed=seed,
        start_ms=start_ms - YEAR_MS,
        hours=hours,
        variant=variant,
        events_per_second=events_per_second,
        campaign_id=campaign_id,
        currency=currency,
    )


def programme_truths(programme: Programme, campaign_id: str) -> Iterator[Truth]:
    """The sales, which must not page, and the slow phase."""
    for sale in programme.sales:
        kind = sale.name.split("_")[0]
        details = {"decoy": kind, "phase": sale.name, "factor": sale.factor, "channels": list(sale.channels)}
        yield Truth("decoy", "", campaign_id, {}, sale.start_ms, sale.end_ms, details)
    if programme.slow:
        phase = programme.phase(programme.slow)
        behind_ms = programme.behind_from(phase, ATTAINABLE * programme.least_lead(phase.start_ms, phase.end_ms))
        # Who looks ahead may tell before sales are behind: people stay away from the phase's first minute.
        details = {"behind_from": rfc3339(behind_ms), "consequences": ["gmv_behind_target"]}
        labels = {"phase": phase.name}
        yield Truth("slow", "gmv_behind_target", campaign_id, labels, phase.start_ms, phase.end_ms, details)
