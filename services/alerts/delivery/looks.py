"""From a notice back to the look that it came of, while tracing is on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from services.alerts.alert import Transition
from services.alerts.delivery.queue import Key, key_of

_MOST = 1_000


class Looks:
    """The latest thousand transitions of sampled looks."""

    def __init__(self) -> None:
        self._references: OrderedDict[Key, str] = OrderedDict()

    def remember(self, transitions: Sequence[Transition], reference: str | None) -> None:
        """They came of the look with this `traceparent`; None is a look that is not sampled."""
        if reference is None:
            return
        for transition in transitions:
            self._references[key_of(transition)] = reference
        while len(self._references) > _MOST:
            self._references.popitem(last=False)

    def of(self, notices: Sequence[Transition]) -> list[str]:
        """The looks of these notices, each once."""
        found = (self._references.get(key_of(notice)) for notice in notices)
        return list(dict.fromkeys(reference for reference in found if reference is not None))
