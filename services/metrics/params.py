"""Query parameters of every call over a period, checked strictly: a filter that is misspelt would be a wrong number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from schemas.metrics import DIMENSIONS, METRICS
from services.common.clock import MINUTE_MS, floor_minute, to_ms
from services.common.errors import InvalidRequest
from services.common.query.question import Question
from services.metrics.campaigns import KnownCampaign

_COMMON = frozenset({"from", "to", "format"}) | DIMENSIONS.keys()

LATEST_MS = 4_294_967_000_000
"""ClickHouse's DateTime ends in 2106."""


@dataclass(frozen=True, slots=True)
class PeriodParameters:
    """`from`, `to` and the filters of a request, still independent of the campaign."""

    start_ms: int | None
    end_ms: int | None
    filters: dict[str, tuple[str, ...]]

    def question(self, campaign: KnownCampaign, now_ms: int, *, group_by: str | None = None) -> Question:
        """The period in whole minutes: by default from the campaign's start to now, the current minute included."""
        start = campaign.start_ms if self.start_ms is None else self.start_ms
        end = floor_minute(now_ms) + MINUTE_MS if self.end_ms is None else self.end_ms
        return Question(
            campaign_id=campaign.campaign_id,
            start_ms=start,
            end_ms=max(start, end),
            filters=self.filters,
            group_by=group_by,
            phases=campaign.phases,
            extent=campaign.extent,
        )


_Filter = Annotated[list[str] | None, Query(description="keep events with this value; repeat it for several values")]
_Moment = "RFC 3339 with offset, floored to the minute"


def filter_parameters(
    channel: _Filter = None,
    region: _Filter = None,
    item_category: _Filter = None,
    item_id: _Filter = None,
    utm_source: _Filter = None,
    device_category: _Filter = None,
    phase: _Filter = None,
    customer_type: _Filter = None,
) -> dict[str, tuple[str, ...]]:
    """The FastAPI dependency of every call that can be filtered: the values to keep, by dimension."""
    given = {
        "channel": channel,
        "region": region,
        "item_category": item_category,
        "item_id": item_id,
        "utm_source": utm_source,
        "device_category": device_category,
        "phase": phase,
        "customer_type": customer_type,
    }
    return {name: tuple(values) for name, values in given.items() if values}


def period_parameters(
    filters: Annotated[dict[str, tuple[str, ...]], Depends(filter_parameters)],
    start: Annotated[str | None, Query(alias="from", description=f"start, {_Moment}; default the campaign's")] = None,
    end: Annotated[str | None, Query(alias="to", description=f"end (excluded), {_Moment}; default now")] = None,
) -> PeriodParameters:
    """The FastAPI dependency of every call over a period. Raises `InvalidRequest`."""
    start_ms = parse_moment("from", start)
    end_ms = parse_moment("to", end)
    if start_ms is not None and end_ms is not None and end_ms < start_ms:
        raise InvalidRequest("to", "must not be before from")
    return PeriodParameters(start_ms, end_ms, filters)


def span_parameters(
    start: Annotated[str | None, Query(alias="from", description=f"start, {_Moment}; default the campaign's")] = None,
    end: Annotated[str | None, Query(alias="to", description=f"end (excluded), {_Moment}; default now")] = None,
) -> PeriodParameters:
    """The FastAPI dependency of calls over a period that take no filters. Raises `InvalidRequest`."""
    return period_parameters({}, start, end)


def refuse_others(request: Request, *allowed: str) -> None:
    """Raises `InvalidRequest` for a query parameter that a call without filters does not have."""
    known = {"from", "to", "format", *allowed}
    for name in request.query_params:
        if name not in known:
            what = "cannot be filtered by here" if name in DIMENSIONS else "no such parameter"
            raise InvalidRequest(name, f"{what}; there are {', '.join(sorted(known))}")


def parse_choice(field: str, text: str | None, choices: tuple[str, ...], default: str) -> str:
    """One of the choices."""
    if text is None:
        return default
    if text not in choices:
        raise InvalidRequest(field, f"must be one of {', '.join(choices)}")
    return text


def parse_duration(field: str, text: str | None, default_ms: int, most_days: int) -> int:
    """Milliseconds of `30m`, `12h` or `7d`, from a minute to `most_days`."""
    if text is None:
        return default_ms
    match = re.fullmatch(r"([1-9][0-9]{0,6})([mhd])", text)
    ms = int(match.group(1)) * {"m": 1, "h": 60, "d": 1440}[match.group(2)] * MINUTE_MS if match else 0
    if not 0 < ms <= most_days * 1440 * MINUTE_MS:
        raise InvalidRequest(field, f"must be a number followed by m, h or d, from 1m to {most_days}d")
    return ms


def refuse_unknown(request: Request, *allowed: str) -> None:
    """Raises `InvalidRequest` for a query parameter that the call does not have."""
    for name in request.query_params:
        if name not in _COMMON and name not in allowed:
            raise InvalidRequest(name, f"no such parameter; there are {', '.join(sorted(_COMMON | set(allowed)))}")


def parse_moment(field: str, text: str | None) -> int | None:
    """Epoch ms of an RFC 3339 moment, floored to the minute; None of None."""
    ms = parse_instant(field, text)
    return None if ms is None else floor_minute(ms)


def parse_instant(field: str, text: str | None) -> int | None:
    """Epoch ms of an RFC 3339 moment; None of None. Raises `InvalidRequest` for one without an offset or outside of
    what the store can hold."""
    if text is None:
        return None
    try:
        # In a query an unescaped + arrives as a space.
        moment = datetime.fromisoformat(text.upper().replace(" ", "+"))
    except ValueError:
        raise InvalidRequest(field, "must be RFC 3339 such as 2026-11-11T00:00:00+08:00") from None
    if moment.tzinfo is None:
        raise InvalidRequest(field, "needs an offset, such as 2026-11-11T00:00:00+08:00")
    ms = to_ms(moment)
    if not 0 <= ms < LATEST_MS:
        raise InvalidRequest(field, "must be between 1970 and 2106")
    return ms


def parse_metrics(text: str | None, default: Iterable[str]) -> tuple[str, ...]:
    """Metric names of a comma-separated list, without repetitions."""
    if text is None:
        return tuple(default)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise InvalidRequest("metrics", "names no metric")
    for name in names:
        if name not in METRICS:
            raise InvalidRequest("metrics", f"{name!r} is no metric; GET /api/v1/metrics lists them")
    return names


def parse_dimension(field: str, text: str | None) -> str | None:
    """A dimension's name; empty means none."""
    if not text:
        return None
    if text not in DIMENSIONS:
        raise InvalidRequest(field, f"{text!r} is no dimension; there are {', '.join(DIMENSIONS)}")
    return text


def parse_limit(text: str | None, default: int, most: int = 10_000) -> int:
    """A number of rows from 1 to `most`."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise InvalidRequest("limit", f"must be a whole number from 1 to {most}")
    return int(text)


def parse_order(text: str | None, allowed: tuple[str, ...], default: str) -> tuple[str, bool]:
    """The column to order by, and whether the largest comes first (a leading minus)."""
    chosen = text or default
    name = chosen.removeprefix("-")
    if name not in allowed:
        raise InvalidRequest("order_by", f"{name!r} is not among the columns; there are {', '.join(allowed)}")
    return name, chosen.startswith("-")
