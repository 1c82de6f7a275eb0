"""A stream of events ready to be sent, whatever made it: the festival and the replay both end up here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from services.simulator.arrivals import lateness
from services.simulator.catalogue import Catalogue, festival_catalogue
from services.simulator.conditions import Conditions
from services.simulator.crowd import (
    EVENTS_PER_VISIT,
    LINES_PER_ORDER,
    ORDERS_PER_VISIT,
    PIECES_PER_LINE,
    Crowd,
)
from services.simulator.festival import Expectation, campaign_body, festival_plan
from services.simulator.incidents import Incident, Incidents
from services.simulator.orders import Shop
from services.simulator.spend import EVERY_SECONDS, Spend
from services.simulator.stock import Stock
from services.simulator.timeline import SECOND_MS, Actor, Campaign, Record, Timeline
from services.simulator.world import CHANNELS

_STOCK_REPORTS = 0.01
_HOURS_OF_STOCK = 24


@dataclass(frozen=True, slots=True)
class Source:
    """Events of one campaign, the incidents among them, and what the API is to be told of it."""

    timeline: Timeline
    actors: Sequence[Actor]
    incidents: Incidents
    campaign: Campaign
    revised: Callable[[], Campaign] | None = None
    """The campaign once it is known when incidents happen, for one whose end depends on silences."""
    delay: Callable[[Record], int] | None = None
    """How many ms later than it happened a record arrives, disorder apart."""

    def go_live(self) -> None:
        """From the first second on that has not been generated yet, incidents may happen."""
        self.incidents.go_live(self.timeline.now_ms + SECOND_MS)
        if self.revised is not None:
            self.timeline.notices.append(self.revised())

    def records(self) -> Iterator[Record]:
        """All events in the order of their time. May be called once."""
        return self.timeline.run(self.actors)


def festival(
    *,
    seed: int,
    start_ms: int,
    campaign_id: str,
    events_per_second: float,
    incidents: Sequence[Incident] = (),
    currency: str = "CNY",
    topic_prefix: str = "campaign.",
) -> Source:
    """A synthetic festival that starts at a moment (cut to the second), with so many events a second in the mean.

    Raises `ConfigurationError` when an incident names a channel or item that does not exist.
    """
    start_ms -= start_ms % SECOND_MS
    timeline = Timeline(campaign_id, seed=seed, start_ms=start_ms)
    plan = festival_plan(start_ms)
    catalogue = festival_catalogue(seed)
    steady = len(CHANNELS) / EVERY_SECONDS
    reports = events_per_second * _STOCK_REPORTS
    visits = max(0.1, (events_per_second - steady - reports) / EVENTS_PER_VISIT)
    expected = Expectation(
        visits_per_second=visits,
        orders_per_second=visits * ORDERS_PER_VISIT,
        order_cents=catalogue.mean_price_cents() * LINES_PER_ORDER * PIECES_PER_LINE,
    )
    conditions = Conditions()
    shop = Shop(
        Stock(
            catalogue.by_id,
            capacity(catalogue, expected.orders_per_second),
            seed=seed,
            reports_per_second=reports,
        ),
        refuse_sold_out=True,
        conditions=conditions,
        seed=seed,
    )
    director = Incidents(
        incidents,
        seed=seed,
        shop=shop,
        catalogue=catalogue,
        channels=list(CHANNELS),
        conditions=conditions,
        topic_prefix=topic_prefix,
        currency=currency,
    )
    crowd = Crowd(
        catalogue,
        shop,
        seed=seed,
        channels=CHANNELS,
        visits_per_second=visits,
        intensity=plan.intensity,
        customers=max(20_000, round(400 * events_per_second)),
        currency=currency,
        conditions=conditions,
    )
    return Source(
        timeline,
        (director, crowd, shop.stock, Spend(CHANNELS, seed=seed, currency=currency, conditions=conditions)),
        director,
        campaign_body(campaign_id, f"模拟大促 {campaign_id}", plan, expected),
        delay=lateness(conditions, seed) if any(incident.type == "late" for incident in incidents) else None,
    )


def backlog(
    seed: int, events: int, campaign_id: str, start_ms: int, seconds: int = 3600
) -> Iterator[tuple[str, bytes, bytes]]:
    """So many events of a festival, as kind, key and value, spread over about an hour from `start_ms` on.

    For tests and benchmarks: pure, and the same arguments yield the same bytes.
    """
    source = festival(
        seed=seed, start_ms=start_ms, campaign_id=campaign_id, events_per_second=events / seconds * 1.05 + 2
    )
    for _, record in zip(range(events), source.records(), strict=False):
        yield record.kind, record.key, record.value


def capacity(catalogue: Catalogue, orders_per_second: float) -> dict[str, int]:
    """How many pieces of each item there are: what is sold in a day, and some hundreds at the least."""
    pieces = orders_per_second * LINES_PER_ORDER * PIECES_PER_LINE * _HOURS_OF_STOCK * 3600
    return {item_id: max(600, round(pieces * share)) for item_id, share in catalogue.share.items()}
