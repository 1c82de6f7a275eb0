"""Numbers as people read them: exact money, shares in percent, and a dash for what is not known."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from schemas.metrics import METRICS, Unit
from services.review.document import Figure, Language
from services.review.query import Answer, pointer

DASH = "–"
_PLAIN = frozenset({"roas", "roi"})
_CENT = Decimal("0.01")
_ONE = Decimal(1)
_MINUS = "−"


def unit_of(metric: str) -> str:
    """How a metric is written: count, money, percent, times or amount."""
    unit = METRICS[metric].unit
    if unit is Unit.RATIO:
        return "times" if metric in _PLAIN else "percent"
    return {Unit.COUNT: "count", Unit.MONEY: "money", Unit.MONEY_RATIO: "amount"}[unit]


def written(value: Any, unit: str) -> str:
    """The text of a JSON value; a dash for null.

    `money` and `amount` have two decimals, `times` two, `percent` two of the hundredfold, `count` none unless it is
    none (a target of half a visitor). A minus is a real one.
    """
    if value is None:
        return DASH
    number = Decimal(str(value))
    if unit == "percent":
        return f"{_rounded(number * 100, _CENT)} %"
    if unit == "count" and number == number.to_integral_value():
        return _rounded(number, _ONE)
    return _rounded(number, _CENT)


def signed(value: Any, unit: str) -> str:
    """The same with a plus where it is more than nothing."""
    text = written(value, unit)
    return f"+{text}" if _MINUS not in text and any(digit in "123456789" for digit in text) else text


def found(answer: Answer, *parts: str | int, unit: str) -> Figure:
    """The figure at a place of an answer."""
    return Figure(written(answer.at(*parts), unit), answer.query, pointer(parts), unit)


def metric(answer: Answer, *parts: str | int) -> Figure:
    """The same for a metric, which the last part names."""
    return found(answer, *parts, unit=unit_of(str(parts[-1])))


def computed(value: Any, unit: str, note: str, *, sign: bool = False, good: bool | None = None) -> Figure:
    """A figure of our own; `good` says whether more of it than nothing is welcome."""
    tone = ""
    if good is not None and value is not None and value != 0:
        tone = "good" if (value > 0) == good else "bad"
    text = signed(value, unit) if sign else written(value, unit)
    return Figure(text, None, "", unit, note, tone)  # type: ignore[arg-type]


def duration(ms: float | None, language: Language, note: str) -> Figure:
    """A length of time in its two largest units; a dash for None."""
    return Figure(duration_text(ms, language), None, "", "duration", note)


def duration_text(ms: float | None, language: Language) -> str:
    """As `12 s`, `4 min 05 s`, `3 h 10 min`, `2 d 4 h`."""
    if ms is None:
        return DASH
    seconds = round(ms / 1000)
    names = ("d", "h", "min", "s") if language == "en" else ("天", "小时", "分", "秒")
    parts = (seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
    first = next((number for number, part in enumerate(parts) if part), 3)
    shown = [f"{parts[first]} {names[first]}"]
    if first < 3 and parts[first + 1]:
        shown.append(f"{parts[first + 1]:02d} {names[first + 1]}" if first else f"{parts[1]} {names[1]}")
    return " ".join(shown)


def _rounded(number: Decimal, step: Decimal) -> str:
    text = f"{number.quantize(step, rounding=ROUND_HALF_UP):,f}"
    # What rounds to nothing is not less than nothing.
    return text.replace("-", _MINUS) if any(digit in "123456789" for digit in text) else text.removeprefix("-")
