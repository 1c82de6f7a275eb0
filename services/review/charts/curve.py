"""The course of the campaign: amounts over time, its phases, planned events and incidents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.review.charts.svg import WIDTH, clipped, drawing, element, label

_HEIGHT = 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 12, 64, 30

_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a moment: a letter or a number that stands for it, beneath which words explain it."""

    at_ms: int
    sign: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A named span."""

    name: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Course:
    """What is drawn: `points` are (bucket's start in ms, amount or None), in the order of time, as is `baseline`."""

    start_ms: int
    end_ms: int
    points: Sequence[tuple[int, float | None]]
    baseline: Sequence[tuple[int, float | None]] = ()
    phases: Sequence[Phase] = ()
    events: Sequence[Mark] = ()
    incidents: Sequence[Mark] = ()
    peak: Mark | None = None
    times: Sequence[tuple[int, str]] = ()
    levels: Sequence[tuple[float, str]] = ()
    legend: Sequence[tuple[str, str]] = ()
    """Class of a sample and what it means."""


def curve(name: str, title: str, text: str, course: Course) -> str:
    """A step line for each bucket's amount; what is not known is a gap."""
    amounts = [amount for _, amount in (*course.points, *course.baseline) if amount is not None]
    top = max((*amounts, *(level for level, _ in course.levels)), default=1.0) or 1.0
    length = max(1, course.end_ms - course.start_ms)
    floor = _HEIGHT - _BOTTOM

    def x(ms: float) -> float:
        return _LEFT + (ms - course.start_ms) / length * (WIDTH - _LEFT - _RIGHT)

    def y(amount: float) -> float:
        return floor - amount / top * (floor - _TOP)

    parts = []
    for number, phase in enumerate(course.phases):
        begin, end = x(max(phase.start_ms, course.start_ms)), x(min(phase.end_ms, course.end_ms))
        if end <= begin:
            continue
        kind = "band" if number % 2 == 0 else "band other"
        parts.append(element("rect", x=begin, y=_TOP - 6, width=end - begin, height=floor - _TOP + 6, class_=kind))
        room = int((end - begin) / 6.4)
        if room >= 4:
            parts.append(label((begin + end) / 2, _TOP - 12, clipped(phase.name, room), "middle", "t small"))
    for level, written in course.levels:
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(level), y2=y(level), class_="grid"))
        parts.append(label(_LEFT - 8, y(level) + 4, written, "end", "t small num"))
    for at, written in course.times:
        parts.append(label(x(at), _HEIGHT - 10, written, "middle", "t small"))
        parts.append(element("line", x1=x(at), x2=x(at), y1=floor, y2=floor + 4, class_="axis"))
    if course.baseline:
        parts.append(element("path", d=_steps(course.baseline, x, y, course.end_ms), class_="line base"))
    parts.append(element("path", d=_steps(course.points, x, y, course.end_ms), class_="line"))
    for event in course.events:
        parts.append(element("line", x1=x(event.at_ms), x2=x(event.at_ms), y1=_TOP - 6, y2=floor, class_="event"))
        parts.append(label(x(event.at_ms) + 3, floor - 6, event.sign, "start", "t small"))
    parts += _incidents(course.incidents, x, floor)
    if course.peak is not None:
        parts.append(
            element("line", x1=x(course.peak.at_ms), x2=x(course.peak.at_ms), y1=_TOP - 6, y2=floor, class_="mark")
        )
    parts += _legend(course.legend)
    return drawing(name, title, text, _HEIGHT, parts)


def _incidents(marks: Sequence[Mark], x: _Scale, floor: float) -> list[str]:
    parts = []
    for mark in marks:
        at = x(mark.at_ms)
        parts.append(element("path", d=f"M{at:.1f} {floor} l-5 9 h10 z", class_="incident"))
        parts.append(element("line", x1=at, x2=at, y1=floor - 14, y2=floor, class_="incident"))
    return parts


def _legend(entries: Sequence[tuple[str, str]]) -> list[str]:
    parts, at = [], float(_LEFT)
    for kind, written in entries:
        if kind == "incident":
            parts.append(element("path", d=f"M{at + 11:.1f} 10 l-5 9 h10 z", class_="incident"))
        else:
            parts.append(element("line", x1=at, x2=at + 22, y1=15, y2=15, class_=kind))
        parts.append(label(at + 28, 19, written, "start", "t small"))
        at += 44 + sum(14 if ord(character) > 0x2E7F else 7.5 for character in written)
    return parts


def _steps(points: Sequence[tuple[int, float | None]], x: _Scale, y: _Scale, end_ms: int) -> str:
    drawn, pen = [], False
    for number, (at, amount) in enumerate(points):
        until = points[number + 1][0] if number + 1 < len(points) else end_ms
        if amount is None:
            pen = False
            continue
        drawn.append(f"{'L' if pen else 'M'}{x(at):.1f} {y(amount):.1f}H{x(until):.1f}")
        pen = True
    return "".join(drawn)
