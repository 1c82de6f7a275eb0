"""The real campaign at speed, with simulated visits, stock and ad spend around its orders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any

from services.simulator.catalogue import Catalogue, Item
from services.simulator.completejourney.campaign import replay_body
from services.simulator.completejourney.coupons import IssuedCoupon, issued_coupons
from services.simulator.completejourney.data import Basket, CampaignData
from services.simulator.conditions import Conditions
from services.simulator.crowd import Crowd
from services.simulator.incidents import Incident, Incidents
from services.simulator.orders import Order, Shop
from services.simulator.source import Source
from services.simulator.spend import Spend
from services.simulator.stock import Stock
from services.simulator.timeline import SECOND_MS, Campaign, Timeline, money
from services.simulator.visits import Visit
from services.simulator.world import (
    CHANNELS,
    CLICKS_PER_VISIT,
    COST_PER_CLICK_CENTS,
    REGIONS,
    Weighted,
    stable_share,
)

SPEED = 2880.0
"""A day in half a minute: the busiest campaign takes 28 minutes at ten orders a second."""

BACKFILL_SECONDS = 900.0
"""Alert rules need some ten minutes to learn what is normal: with these a demo's first incident is recognised."""

# All of the real orders were made in shops; this is where their households are said to come from.
_HOME_CHANNELS: Weighted[str] = Weighted({"store": 0.34, "app": 0.30, "mini_program": 0.20, "web": 0.10, "live": 0.06})
_LEAD_MS = (20_000, 90_000)
_AHEAD_MS = 100_000
_SHOWN_ITEMS = 300
_FOLLOWED_ITEMS = 60
_STOCK_TIMES_SALES = 8
_BUDGET_SLACK = 1.4


class Replay:
    """The actor that plays the data's orders and coupons, each with the visit that led to it.

    At the end of the campaign it starts again as a new run with ids of its own and tells the API of it, or,
    without `loop`, ends the timeline.
    """

    def __init__(
        self,
        data: CampaignData,
        catalogue: Catalogue,
        shop: Shop,
        incidents: Incidents,
        *,
        seed: int,
        speed: float,
        currency: str,
        visits_per_second: float,
        loop: bool,
    ) -> None:
        self._data = data
        self._catalogue = catalogue
        self._shop = shop
        self._incidents = incidents
        self._rng = Random(f"replay/{seed}")
        self._speed = speed
        self._currency = currency
        self._visits_per_second = visits_per_second
        self._loop = loop
        self._coupons = issued_coupons(data)
        self._redeemed_with: defaultdict[int, list[IssuedCoupon]] = defaultdict(list)
        for coupon in self._coupons:
            if coupon.redemption is not None and coupon.redemption.basket_id is not None:
                self._redeemed_with[coupon.redemption.basket_id].append(coupon)
        self._run = 0
        self._start_ms = 0
        self._paused_ms = 0
        self._next = 0
        self._regulars: set[int] = set()

    def begin(self, timeline: Timeline) -> Campaign:
        """Starts a run at the timeline's present second; returns what the API is to be told of it."""
        self._run += 1
        self._start_ms = timeline.now_ms
        self._paused_ms = timeline.paused_ms
        self._next = 0
        self._regulars.clear()
        for coupon in self._coupons:
            at_ms = self._at(timeline, coupon.issued_ms)
            self._plan_coupon(timeline, coupon, at_ms, {"event_name": "coupon_issued"})
            if coupon.redemption is not None and coupon.redemption.basket_id is None:
                self._redeem(timeline, coupon, self._at(timeline, coupon.redemption.at_ms))

        return self.describe(timeline)

    def describe(self, timeline: Timeline) -> Campaign:
        """The campaign as the API takes it, with the silences that are to come before its weeks end."""

        def at(data_ms: int) -> int:
            moment = self._at(timeline, data_ms)
            return moment + self._incidents.silence_after(moment)

        seconds = (self._data.end_ms - self._data.start_ms) / self._speed / 1000
        return replay_body(
            self._data,
            timeline.campaign_id,
            at=at,
            budgets=self._budgets(seconds),
            currency=self._currency,
            speed=self._speed,
        )

    def tick(self, timeline: Timeline) -> None:
        """Plans the orders of the next minute and a half, so that there is time for the visits before them."""
        baskets = self._data.baskets
        while self._next < len(baskets):
            basket = baskets[self._next]
            paid_ms = self._at(timeline, basket.at_ms)
            if paid_ms > timeline.now_ms + _AHEAD_MS:
                return
            self._next += 1
            self._play(timeline, basket, max(paid_ms, timeline.now_ms))
        if timeline.now_ms >= self._at(timeline, self._data.end_ms):
            if self._loop:
                timeline.notices.append(self.begin(timeline))
            else:
                timeline.finish()

    def _at(self, timeline: Timeline, data_ms: int) -> int:
        played = (data_ms - self._data.start_ms) / self._speed
        return self._start_ms + int(played) + timeline.paused_ms - self._paused_ms

    def _play(self, timeline: Timeline, basket: Basket, paid_ms: int) -> None:
        rng = self._rng
        created_ms = max(timeline.now_ms, paid_ms - rng.randrange(400, 4_000))
        household = basket.household
        lead_ms = rng.randrange(*_LEAD_MS)
        visit = self._lead_up(timeline, basket, max(timeline.now_ms, created_ms - lead_ms), created_ms)
        coupons = self._redeemed_with.get(basket.basket_id, [])
        fields = {
            **visit.base,
            "new_customer": household not in self._regulars,
            "utm_source": visit.source,
            "store_id": f"store-{basket.store}",
            "discount": money(basket.discount_cents),
        }
        if coupons:
            fields["coupon_id"] = self._coupon_id(timeline, coupons[0])
        self._regulars.add(household)
        order = Order(
            f"cj-{timeline.run_id}-{self._run}-{basket.basket_id}",
            value_cents=basket.value_cents,
            currency=self._currency,
            lines=basket.lines,
            fields=fields,
        )
        self._shop.create(timeline, order, created_ms)
        self._shop.pay(timeline, order, paid_ms)
        for coupon in coupons:
            self._redeem(timeline, coupon, paid_ms, order)

    def _lead_up(self, timeline: Timeline, basket: Basket, from_ms: int, until_ms: int) -> Visit:
        rng = self._rng
        user_id = f"household-{basket.household}"
        channel = _home_channel(basket.household)
        visit = Visit(timeline, rng, user_id, channel, from_ms)
        timeline.visits[channel] += 1
        known = [item for line in basket.lines[:20] if (item := self._catalogue.by_id.get(line.item_id))]
        looked_at = known[:3] or [self._catalogue.draw(rng)]
        steps: list[tuple[str, Item | None]] = [("page_view", None)]
        for item in looked_at:
            steps.append(("view_item", item))
            if known:
                steps.append(("add_to_cart", item))
        steps.append(("begin_checkout", None))
        times = sorted(rng.randrange(from_ms, until_ms + 1) for _ in steps)
        # Who checks out is about to pay; the rest of the visit may lie well before.
        times[-1] = max(times[-2], until_ms - rng.randrange(500, 6_000), from_ms)
        for (name, item), at_ms in zip(steps, times, strict=True):
            visit.at_ms = min(at_ms, until_ms)
            if item is not None:
                visit.item(name, item)
            elif name == "page_view":
                visit.page("/")
            else:
                visit.step(name)
        return visit

    def _redeem(self, timeline: Timeline, coupon: IssuedCoupon, at_ms: int, order: Order | None = None) -> None:
        assert coupon.redemption is not None
        fields = {
            "event_name": "coupon_redeemed",
            "face_value": money(coupon.redemption.face_cents),
            "currency": self._currency,
        }
        if order is not None:
            fields["order_id"] = order.order_id
        self._plan_coupon(timeline, coupon, at_ms, fields)

    def _plan_coupon(self, timeline: Timeline, coupon: IssuedCoupon, at_ms: int, fields: dict[str, Any]) -> None:
        coupon_id = self._coupon_id(timeline, coupon)
        user_id = f"household-{coupon.household}"
        fields |= {
            "user_id": user_id,
            "channel": _home_channel(coupon.household),
            "region": REGIONS.at(stable_share(user_id)),
            "coupon_id": coupon_id,
            "batch_id": f"campaign-{self._data.number}",
        }
        timeline.plan(at_ms, "coupons", coupon_id, fields)

    def _coupon_id(self, timeline: Timeline, coupon: IssuedCoupon) -> str:
        return f"cj-{timeline.run_id}-{self._run}-{coupon.household}-{coupon.number}"

    def _budgets(self, seconds: float) -> dict[str, int]:
        homes = Counter(_home_channel(basket.household) for basket in self._data.baskets)
        return {
            channel: round(
                (seconds * self._visits_per_second * share + homes[channel])
                * CLICKS_PER_VISIT[channel]
                * COST_PER_CLICK_CENTS[channel]
                * _BUDGET_SLACK
            )
            for channel, share in CHANNELS.items()
        }


def completejourney(
    data: CampaignData,
    *,
    now_ms: int,
    campaign_id: str | None = None,
    seed: int = 1,
    speed: float = SPEED,
    backfill_seconds: float = BACKFILL_SECONDS,
    currency: str = "CNY",
    visits_per_second: float = 8.0,
    incidents: Sequence[Incident] = (),
    loop: bool = True,
) -> Source:
    """The campaign as a source that began `backfill_seconds` before now.

    It is called `completejourney-` and its number when no `campaign_id` is given.
    `visits_per_second` are the visitors who do not buy. Raises `ConfigurationError` when an incident names a
    channel or item that does not exist.
    """
    now_ms -= now_ms % SECOND_MS
    timeline = Timeline(
        campaign_id or f"completejourney-{data.number}", seed=seed, start_ms=now_ms - int(backfill_seconds) * SECOND_MS
    )
    catalogue, sold = _catalogue(data)
    followed = {item.item_id: item for item in catalogue.items[:_FOLLOWED_ITEMS]}
    capacity = {item_id: sold[item_id] * _STOCK_TIMES_SALES for item_id in followed}
    conditions = Conditions()
    shop = Shop(
        Stock(followed, capacity, seed=seed, reports_per_second=1.0),
        # The orders are real: they happen, whatever the simulated stock says.
        refuse_sold_out=False,
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
        crowd=False,
        currency=currency,
    )
    replay = Replay(
        data,
        catalogue,
        shop,
        director,
        seed=seed,
        speed=speed,
        currency=currency,
        visits_per_second=visits_per_second,
        loop=loop,
    )
    crowd = Crowd(
        catalogue,
        None,
        seed=seed,
        channels=CHANNELS,
        visits_per_second=visits_per_second,
        intensity=lambda _: 1.0,
        customers=50_000,
        currency=currency,
    )
    spend = Spend(CHANNELS, seed=seed, currency=currency, conditions=conditions)
    actors = (director, replay, crowd, shop.stock, spend)
    return Source(timeline, actors, director, replay.begin(timeline), lambda: replay.describe(timeline))


def _home_channel(household: int) -> str:
    return _HOME_CHANNELS.at(stable_share(f"channel/{household}"))


def _catalogue(data: CampaignData) -> tuple[Catalogue, Counter[str]]:
    """The items in the most baskets, weighted by these, and how many pieces of each were sold."""
    baskets: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    worth: Counter[str] = Counter()
    categories: dict[str, str | None] = {}
    for basket in data.baskets:
        baskets.update({line.item_id for line in basket.lines})
        for line in basket.lines:
            pieces[line.item_id] += line.quantity
            worth[line.item_id] += line.quantity * line.price_cents
            categories[line.item_id] = line.category
    # Equal counts would otherwise come in the order of a set, which differs by process.
    popular = sorted(baskets, key=lambda item_id: (-baskets[item_id], item_id))[:_SHOWN_ITEMS]
    items = [
        Item(item_id, categories[item_id], worth[item_id] // pieces[item_id], baskets[item_id]) for item_id in popular
    ]
    return Catalogue(items), pieces
