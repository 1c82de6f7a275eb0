"""The panels of the page: each is one table, or a question much like one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from services.common.query.completeness import kinds_behind
from services.common.query.engine import QueryEngine
from services.common.query.ladder import ladder
from services.common.store import StorePool
from services.common.tabular import Column, Type, json_table
from services.metrics.campaigns import CampaignBook
from services.metrics.pacing.table import pacing_about, pacing_table
from services.metrics.tables import FUNNEL_KINDS, INVENTORY_KINDS, breakdown_table, funnel_table, inventory_table
from services.metrics.wall.day import day_panel
from services.metrics.wall.scene import Scene

PERIODS = {
    "channels": 2,
    "funnel": 3,
    "items": 3,
    "inventory": 3,
    "regions": 5,
    "pacing": 5,
    "ladder": 10,
    "day": 10,
}
"""The panels in the order in which they are asked, each with the seconds after which a live one is asked again."""

Ask = Callable[[str, Scene, Collection[str]], Coroutine[Any, Any, dict[str, Any]]]
"""As `Panels.ask`."""

_BREAKDOWNS = {
    "channels": ("channel", ("gmv", "paid_gmv", "uv", "buyers", "conversion_rate", "ad_cost", "roas", "roi"), 12),
    "regions": ("region", ("gmv", "uv"), 40),
    "items": ("item_id", ("gmv", "orders_paid"), 10),
}
_SOONEST = 20
_LADDER = [
    Column("rung", Type.TEXT),
    Column("amount", Type.MONEY),
    Column("orders", Type.COUNT),
    Column("share", Type.RATIO),
]
_LADDER_KINDS = ("orders",)


@dataclass(frozen=True, slots=True)
class Panels:
    """Asks for panels. `orders_per_hour`: from how many paid orders within an hour one is suspected of brushing."""

    pool: StorePool
    engine: QueryEngine
    book: CampaignBook
    orders_per_hour: int

    async def ask(self, name: str, scene: Scene, listed: Collection[str] = ()) -> dict[str, Any]:
        """The panel as it stands in a snapshot. `listed` names items whose stock is wanted however much is left."""
        campaign, question, completeness = scene.campaign, scene.question, scene.completeness
        if name == "pacing":
            # Goals are the campaign's, and so is what is held against them, whatever the filters.
            pacing = await pacing_table(self.engine, self.book, campaign, scene.then)
            about = completeness.about(scene.moment_ms) if scene.past else pacing_about(campaign, completeness)
            return json_table(*pacing, about)
        if name == "day":
            return await day_panel(self.engine, campaign, scene.baseline, question, completeness)
        if name == "ladder":
            rungs = await ladder(self.pool, question, self.orders_per_hour)
            rows = [{"rung": r.rung, "amount": r.amount, "orders": r.orders, "share": r.share} for r in rungs]
            return json_table(_LADDER, rows, completeness.about(question.end_ms, _LADDER_KINDS))
        if name == "funnel":
            table = await funnel_table(self.pool, question, self.engine.cuts)
            return json_table(*table, completeness.about(question.end_ms, FUNNEL_KINDS))
        if name == "inventory":
            return await self._inventory(scene, listed)
        dimension, names, limit = _BREAKDOWNS[name]
        grouped = replace(question, group_by=dimension)
        table = await breakdown_table(
            self.engine, campaign, grouped, names, order_by="gmv", descending=True, limit=limit
        )
        return json_table(*table, completeness.about(question.end_ms, kinds_behind(names, grouped.dimensions)))

    async def ask_all(self, scene: Scene, ask: Ask | None = None) -> dict[str, Any]:
        """Every panel, asked at the same time but for stock, which waits for the items.

        `ask` is asked in place of `self.ask`. Raises what the first that fails raises.
        """
        one = self.ask if ask is None else ask

        async def stock() -> dict[str, Any]:
            items = await asking["items"]
            return await one("inventory", scene, {row["item_id"] for row in items["rows"]})

        try:
            async with asyncio.TaskGroup() as group:
                asking = {name: group.create_task(one(name, scene, ())) for name in PERIODS if name != "inventory"}
                asking["inventory"] = group.create_task(stock())
        except ExceptionGroup as failed:
            # One reason is enough, and callers know its kind.
            raise failed.exceptions[0] from None
        return {name: asking[name].result() for name in PERIODS}

    async def _inventory(self, scene: Scene, listed: Collection[str]) -> dict[str, Any]:
        """The items that run out soonest, and those that are listed."""
        table = await inventory_table(
            self.pool,
            self.engine,
            scene.campaign,
            scene.question,
            now_ms=scene.moment_ms,
            limit=_SOONEST,
            also=frozenset(listed),
            until_ms=scene.moment_ms if scene.past else 0,
        )
        return json_table(*table, scene.completeness.about(scene.question.end_ms, INVENTORY_KINDS))
