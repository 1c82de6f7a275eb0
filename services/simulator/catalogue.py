"""What is on sale, how popular each item is, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from services.simulator.world import Weighted

# Category: the middle of its prices in yuan.
CATEGORIES: dict[str, int] = {
    "手机数码": 1800,
    "家用电器": 1200,
    "美妆护肤": 260,
    "食品饮料": 60,
    "母婴用品": 180,
    "服饰内衣": 150,
    "鞋靴箱包": 320,
    "运动户外": 240,
    "家居家装": 200,
    "个护清洁": 50,
    "医药保健": 130,
    "宠物生活": 90,
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something on sale; `weight` is its share of all views, the price in hundredths."""

    item_id: str
    category: str | None
    price_cents: int
    weight: float


class Catalogue:
    """Items, the most popular first."""

    def __init__(self, items: Sequence[Item]) -> None:
        total = sum(item.weight for item in items)
        self.items = sorted(items, key=lambda item: (-item.weight, item.item_id))
        self.by_id = {item.item_id: item for item in self.items}
        self.share = {item.item_id: item.weight / total for item in items}
        self._draw = Weighted({item: item.weight for item in self.items})

    def draw(self, rng: Random) -> Item:
        """One item, the popular ones more often."""
        return self._draw.draw(rng)

    def mean_price_cents(self) -> float:
        """The average price of an item that is drawn."""
        return sum(item.price_cents * self.share[item.item_id] for item in self.items)


def festival_catalogue(seed: int, items: int = 200) -> Catalogue:
    """So many items over all categories; popularity falls as Zipf's law has it, the dear ones sell less."""
    rng = Random(f"catalogue/{seed}")
    names = list(CATEGORIES)
    made = []
    for rank in range(items):
        category = names[rank % len(names)] if rank < len(names) else rng.choice(names)
        yuan = max(5, round(CATEGORIES[category] * rng.lognormvariate(0.0, 0.6)))
        # Shop prices end on 9, some on .90.
        cents = (yuan // 10 * 10 + 9) * 100 + (90 if yuan < 100 and rng.random() < 0.5 else 0)
        weight = (rank + 3) ** -0.9 * (400 / (400 + yuan))
        made.append(Item(f"sku-{rank + 1:04d}", category, cents, weight))
    return Catalogue(made)
