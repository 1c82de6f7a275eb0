"""People on their way through the shop: one visit from the first page to wherever it ends."""

from __future__ import annotations

from random import Random
from typing import Any

from services.simulator.catalogue import Item
from services.simulator.timeline import Timeline
from services.simulator.world import DEVICES, REGIONS, SOURCES, stable_share


class Visit:
    """One session of one person; moves ahead in time with every step that it plans."""

    __slots__ = ("_common", "_rng", "_timeline", "at_ms", "base", "source")

    def __init__(self, timeline: Timeline, rng: Random, user_id: str, channel: str, at_ms: int) -> None:
        self._timeline = timeline
        self._rng = rng
        self.at_ms = at_ms
        self.source, medium = SOURCES[channel].draw(rng)
        self.base: dict[str, Any] = {
            "user_id": user_id,
            "channel": channel,
            "region": REGIONS.at(stable_share(user_id)),
        }
        self._common = {
            **self.base,
            "session_id": timeline.next_id("s"),
            "utm_source": self.source,
            "utm_medium": medium,
            "utm_campaign": timeline.campaign_id,
            "device_category": DEVICES[channel].draw(rng),
        }
        if stable_share(f"{user_id}/checkout") < 0.2:
            variant = "one_page" if stable_share(f"{user_id}/variant") < 0.5 else "control"
            self._common |= {"experiment": "checkout", "variant": variant}

    def wait(self, mean_ms: float) -> int:
        """Time goes by; returns the new time."""
        self.at_ms += int(min(self._rng.expovariate(1 / mean_ms), 6 * mean_ms)) + 200
        return self.at_ms

    def page(self, location: str) -> None:
        """Looks at a page."""
        self._plan("page_view", page_location=location, engagement_time_msec=self._rng.randrange(500, 15_000))

    def step(self, name: str) -> None:
        """Does something that concerns no item."""
        self._plan(name)

    def item(self, name: str, item: Item) -> None:
        """Does something with an item."""
        if item.category is None:
            self._plan(name, item_id=item.item_id)
        else:
            self._plan(name, item_id=item.item_id, item_category=item.category)

    def _plan(self, name: str, **fields: Any) -> None:
        key = self._common["user_id"]
        self._timeline.plan(self.at_ms, "traffic", key, {"event_name": name, **self._common, **fields})
