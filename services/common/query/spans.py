"""Which spans of time, already summed up, cover a period, and what is left of it at its ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.common.clock import MINUTE_MS

EVERYTHING = 0
"""Stands for a number of minutes: a span that holds all that a campaign has, whenever it happened. It starts at 0."""


@dataclass(frozen=True, slots=True)
class SpanRange:
    """All spans of `minutes` minutes that lie in `[start_ms, end_ms)`, which they fill."""

    minutes: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Cover:
    """A period in three parts: what spans fill, `[first_ms, last_ms)`, and the minutes before and after."""

    ranges: tuple[SpanRange, ...]
    first_ms: int
    last_ms: int


def cover(start_ms: int, end_ms: int, spans: Iterable[int]) -> Cover | None:
    """The longest spans that fit into the period, none of them overlapping; None when not even one does.

    `spans` are lengths in minutes, each dividing the next longer one; all begin at multiples since 1970.
    """
    ranges = tuple(_fill(start_ms, end_ms, sorted(spans, reverse=True)))
    return Cover(ranges, ranges[0].start_ms, ranges[-1].end_ms) if ranges else None


def _fill(start_ms: int, end_ms: int, spans: Sequence[int]) -> Iterable[SpanRange]:
    if not spans or end_ms <= start_ms:
        return
    length = spans[0] * MINUTE_MS
    first = -(-start_ms // length) * length
    last = end_ms // length * length
    if first >= last:
        yield from _fill(start_ms, end_ms, spans[1:])
        return
    yield from _fill(start_ms, first, spans[1:])
    yield SpanRange(spans[0], first, last)
    yield from _fill(last, end_ms, spans[1:])


def whole(start_ms: int, end_ms: int) -> Cover:
    """For a period outside of which there is nothing: the one span that holds everything."""
    return Cover((SpanRange(EVERYTHING, 0, MINUTE_MS),), start_ms, end_ms)


def aligned(spans: Iterable[int], cuts: Iterable[int]) -> list[int]:
    """The spans of which none lies across one of the cuts (epoch ms)."""
    moments = tuple(cuts)
    return [span for span in spans if all(moment % (span * MINUTE_MS) == 0 for moment in moments)]
