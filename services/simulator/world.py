"""What the festival is made of: channels, regions, devices, sources of visits, and how often each occurs."""

from __future__ import annotations

import zlib
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """A draw from a fixed set of values, each as often as its weight says."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self.values = list(weights)
        self._bounds = list(accumulate(weights.values()))
        self._total = self._bounds[-1]
        # The last bound is never needed, and without it rounding cannot lead past the end.
        self._bounds.pop()

    def draw(self, rng: Random) -> T:
        """One value."""
        return self.values[bisect(self._bounds, rng.random() * self._total)]

    def at(self, share: float) -> T:
        """The value at a place in [0, 1) of the whole."""
        return self.values[bisect(self._bounds, share * self._total)]


def stable_share(text: str) -> float:
    """A number in [0, 1) that depends on nothing but the text (Python's own hash changes by process)."""
    return zlib.crc32(text.encode()) / 2**32


CHANNELS: dict[str, float] = {"app": 0.38, "mini_program": 0.24, "web": 0.20, "live": 0.11, "store": 0.07}

# Share of the population, in thousandths: GB/T 2260 codes as ISO 3166-2 knew them.
REGIONS: Weighted[str] = Weighted(
    {
        "CN-44": 90, "CN-37": 72, "CN-41": 70, "CN-32": 60, "CN-51": 59, "CN-13": 53, "CN-43": 47,
        "CN-33": 46, "CN-34": 43, "CN-42": 41, "CN-45": 35, "CN-53": 33, "CN-36": 32, "CN-21": 30,
        "CN-35": 29, "CN-61": 28, "CN-52": 27, "CN-14": 25, "CN-50": 23, "CN-23": 22, "CN-65": 18,
        "CN-62": 18, "CN-31": 18, "CN-22": 17, "CN-15": 17, "CN-11": 15, "CN-12": 10, "CN-46": 7,
        "CN-64": 5, "CN-63": 4, "CN-54": 3,
    }
)  # fmt: skip

DEVICES: dict[str, Weighted[str]] = {
    "app": Weighted({"mobile": 0.94, "tablet": 0.06}),
    "mini_program": Weighted({"mobile": 1.0}),
    "web": Weighted({"desktop": 0.62, "mobile": 0.33, "tablet": 0.05}),
    "live": Weighted({"mobile": 0.9, "tablet": 0.1}),
    "store": Weighted({"kiosk": 0.4, "mobile": 0.6}),
}

SOURCES: dict[str, Weighted[tuple[str, str]]] = {
    "app": Weighted({("push", "owned"): 4, ("direct", "none"): 3, ("oceanengine", "feed"): 2, ("tencent", "feed"): 1}),
    "mini_program": Weighted({("wechat", "social"): 5, ("wecom", "owned"): 3, ("direct", "none"): 2}),
    "web": Weighted({("baidu", "cpc"): 4, ("baidu", "organic"): 2, ("direct", "none"): 3, ("weibo", "social"): 1}),
    "live": Weighted({("douyin", "live"): 6, ("kuaishou", "live"): 2, ("kol", "creator"): 2}),
    "store": Weighted({("qr_code", "offline"): 7, ("direct", "none"): 3}),
}  # fmt: skip

COST_PER_CLICK_CENTS: dict[str, int] = {"app": 210, "mini_program": 130, "web": 320, "live": 260, "store": 90}
CLICKS_PER_VISIT: dict[str, float] = {"app": 0.35, "mini_program": 0.4, "web": 0.45, "live": 0.7, "store": 0.3}
CLICK_THROUGH: dict[str, float] = {"app": 0.031, "mini_program": 0.042, "web": 0.022, "live": 0.055, "store": 0.12}

WAREHOUSES: Weighted[str] = Weighted({"wh-east": 0.45, "wh-south": 0.33, "wh-north": 0.22})
