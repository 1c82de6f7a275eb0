"""Horizontal bars, to the right for more than nothing and to the left for less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.review.charts.svg import WIDTH, clipped, drawing, element, label

_ROW = 30
_NAMES = 190
_NUMBERS = 150


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its length in any unit, and what is written at its end. `quiet` sets it back."""

    name: str
    length: float
    text: str
    quiet: bool = False


def bars(name: str, title: str, shown: Sequence[Bar], *, mark: float | None = None, mark_text: str = "") -> str:
    """A bar below the other on one scale; `mark` draws an upright line at a value, such as where money comes back."""
    lowest = min(0.0, *(bar.length for bar in shown))
    highest = max(0.0, mark or 0.0, *(bar.length for bar in shown))
    reach = (highest - lowest) or 1.0
    left = _NAMES + (_NUMBERS if lowest < 0 else 0)
    room = WIDTH - left - _NUMBERS

    def x(value: float) -> float:
        return left + (value - lowest) / reach * room

    top = 22 if mark is not None else 6
    height = top + _ROW * len(shown) + 6
    parts = [element("line", x1=x(0), x2=x(0), y1=top, y2=height - 6, class_="axis")]
    if mark is not None:
        parts.append(element("line", x1=x(mark), x2=x(mark), y1=top - 2, y2=height - 6, class_="mark"))
        parts.append(label(x(mark), top - 7, mark_text, "middle", "t small"))
    for number, bar in enumerate(shown):
        y = top + number * _ROW
        begin, end = sorted((x(0), x(bar.length)))
        kind = "bar less" if bar.length < 0 else "bar"
        parts.append(
            element(
                "rect", x=begin, y=y + 5, width=max(end - begin, 1), height=_ROW - 12, rx=2,
                class_=f"{kind} quiet" if bar.quiet else kind,
            )
        )  # fmt: skip
        parts.append(label(_NAMES - 12, y + 19, clipped(bar.name, 24), "end"))
        if bar.length < 0:
            parts.append(label(begin - 8, y + 19, bar.text, "end", "t num"))
        else:
            parts.append(label(end + 8, y + 19, bar.text, "start", "t num"))
    words = "; ".join(f"{bar.name}: {bar.text}" for bar in shown)
    return drawing(name, title, words, height, parts)
