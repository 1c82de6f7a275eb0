"""What a kind of incident is, and what it may lay its hands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from services.simulator.catalogue import Catalogue
from services.simulator.conditions import Conditions
from services.simulator.orders import Order, Shop
from services.simulator.timeline import SECOND_MS, Timeline


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that incidents act upon. `channels` has the one first that incidents are best shown on."""

    rng: Random
    shop: Shop
    catalogue: Catalogue
    channels: Sequence[str]
    conditions: Conditions
    topic_prefix: str = "campaign."
    currency: str = "CNY"


Prepared = Sequence[Order]
"""Orders that an incident will need."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An incident as it begins: `turn` counts those of its kind, `ends_ms` is the first moment after it."""

    turn: int
    starts_ms: int
    ends_ms: int
    options: dict[str, str]
    prepared: Prepared = ()

    @property
    def seconds(self) -> int:
        """How long it lasts."""
        return (self.ends_ms - self.starts_ms) // SECOND_MS

    def number(self, option: str, default: float) -> float:
        """An option that is a number."""
        return float(self.options.get(option, default))

    def count(self, option: str, default: int) -> int:
        """An option that is a whole number."""
        return int(self.options.get(option, default))

    def channel(self, stage: Stage) -> str:
        """The channel that it is about."""
        return self.options.get("channel", stage.channels[self.turn % len(stage.channels)])


def _nothing(_: Timeline) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Course:
    """What follows from an incident: `go_on` is called every second of it, the first included, `end` after the last.

    `onset` says when it first showed in an event, None when nothing showed: then it did not happen after all.
    Without it the incident shows from its first second.
    """

    labels: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    go_on: Callable[[Timeline], None] = _nothing
    end: Callable[[Timeline], None] = _nothing
    onset: Callable[[], int | None] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of incident.

    `rule` ought to tell; it is empty for what must not page. `consequences` are rules that may rightly tell too, of
    the same cause. `begin` returns None when the incident cannot happen. `needs_crowd`: it works on what people do,
    so there must be a public that buys. `about_pipeline`: alerts about it concern no single campaign. `by` is what
    the option of that name may be: whose doing it is. `prepare` is
    called as soon as it is known when the incident begins, with that moment.
    """

    name: str
    rule: str
    seconds: int
    begin: Callable[[Stage, Timeline, Begun], Course | None]
    options: frozenset[str] = frozenset()
    consequences: tuple[str, ...] = ()
    needs_crowd: bool = False
    about_pipeline: bool = False
    by: tuple[str, ...] = ()
    prepare: Callable[[Stage, Timeline, int, dict[str, str]], Prepared] | None = None


CAMPAIGN_OF_PIPELINE = "*"
"""What alerts about the pipeline carry as campaign."""
