"""The shape of an opening, as it is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.common.errors import ConfigurationError
from services.planning.opening import LONGEST_SECONDS


@dataclass(frozen=True, slots=True)
class Shape:
    """`burst` is the top, in peaks; the rest are seconds. Raises `ConfigurationError`, naming the option at fault."""

    burst: float
    rise: float
    hold: float
    half_life: float
    seconds: float

    def __post_init__(self) -> None:
        allowed = {
            "burst": (1.0, 100.0),
            "rise": (0.0, 3_600.0),
            "hold": (0.0, 3_600.0),
            "half_life": (0.1, 3_600.0),
            "seconds": (10.0, LONGEST_SECONDS),
        }
        for name, (least, most) in allowed.items():
            value: float = getattr(self, name)
            if not math.isfinite(value) or not least <= value <= most:
                option = "--" + name.replace("_", "-")
                raise ConfigurationError(f"{option} is {value:g}: it must be {least:g} to {most:g}")
