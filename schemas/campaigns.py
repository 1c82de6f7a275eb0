"""A campaign as people declare it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.metrics import METRICS

CAMPAIGN_ID = r"^[A-Za-z0-9_.-]{1,64}$"

_REASON = timedelta(days=180)
"""How far from its campaign an event of its calendar may begin: beyond, a date is mistyped."""

_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2106, 1, 1, tzinfo=UTC)

Amount = Annotated[Decimal, Field(ge=0, max_digits=30, allow_inf_nan=False)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone such as Asia/Shanghai") from None
    return name


def _storable(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must be between 1970 and 2106")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_storable)]
"""A moment with an offset that ClickHouse's DateTime holds, in any time zone."""


class Phase(BaseModel):
    """A named span `[start, end)` of a campaign, such as its warm-up."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class PlannedEvent(BaseModel):
    """Something planned that is worth a mark on the curve, such as a flash sale; without an end it is a moment.

    Unlike a phase it has no targets, may lie in any phase and beside others.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    start: Moment
    end: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Targets(BaseModel):
    """What is to be reached, per metric: over the campaign and within each phase."""

    model_config = ConfigDict(extra="forbid")

    total: dict[str, Amount] = {}
    phases: dict[str, dict[str, Amount]] = {}

    @model_validator(mode="before")
    @classmethod
    def _any_form(cls, value: Any) -> Any:
        """Three forms are understood: `{"total": {metric: n}, "phases": {phase: {metric: n}}}`, `{metric: n}`, and
        `{metric: {"total": n, "phases": {phase: n}}}`."""
        if not isinstance(value, dict) or value.keys() <= {"total", "phases"}:
            return value
        total: dict[str, Any] = {}
        phases: dict[str, dict[str, Any]] = {}
        for metric, goal in value.items():
            if not isinstance(goal, dict):
                total[metric] = goal
                continue
            if not goal.keys() <= {"total", "phases"} or not isinstance(goal.get("phases", {}), dict):
                raise ValueError(f"{metric}: must be a number, or an object with total and phases")
            if goal.get("total") is not None:
                total[metric] = goal["total"]
            for phase, part in goal.get("phases", {}).items():
                phases.setdefault(phase, {})[metric] = part
        return {"total": total, "phases": phases}

    @model_validator(mode="after")
    def _known_metrics(self) -> Self:
        for goals in (self.total, *self.phases.values()):
            for metric in goals:
                if metric not in METRICS:
                    raise ValueError(f"{metric!r} is no metric; GET /api/v1/metrics lists them")
        return self


class Campaign(BaseModel):
    """The body of `PUT /api/v1/campaigns/{id}`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "Double 11",
                "start": "2026-11-10T20:00:00+08:00",
                "end": "2026-11-12T00:00:00+08:00",
                "timezone": "Asia/Shanghai",
                "gross_margin": 0.35,
                "phases": [
                    {"name": "warm-up", "start": "2026-11-10T20:00:00+08:00", "end": "2026-11-11T00:00:00+08:00"},
                    {"name": "burst", "start": "2026-11-11T00:00:00+08:00", "end": "2026-11-12T00:00:00+08:00"},
                ],
                "targets": {"total": {"gmv": "1000000.00", "uv": 50000}, "phases": {"burst": {"gmv": "800000.00"}}},
                "budgets": {"app": "20000.00"},
                "baseline_campaign_id": "double-11-2025",
                "calendar": [
                    {"name": "opening", "start": "2026-11-11T00:00:00+08:00"},
                    {
                        "name": "live stream",
                        "start": "2026-11-11T20:00:00+08:00",
                        "end": "2026-11-11T22:00:00+08:00",
                    },
                ],
            }
        },
    )

    name: Annotated[str, Field(min_length=1, max_length=200)]
    start: Moment
    end: Moment
    timezone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    gross_margin: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(1)
    phases: Annotated[list[Phase], Field(max_length=100)] = []
    targets: Targets = Targets()
    budgets: dict[str, Amount] = {}
    baseline_campaign_id: Annotated[str, Field(pattern=CAMPAIGN_ID)] | None = None
    calendar: Annotated[list[PlannedEvent], Field(max_length=200)] = []
    """Planned events, marked on the curve of the campaign."""
    note: Annotated[str, Field(max_length=2000)] | None = None
    """Shown on the page: where the numbers come from, for example."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        for event in self.calendar:
            if not self.start - _REASON <= event.start <= self.end + _REASON:
                raise ValueError(f"calendar: {event.name!r} must start within {_REASON.days} days of the campaign")
        names = [phase.name for phase in self.phases]
        if len(set(names)) != len(names):
            raise ValueError("phases: names must differ")
        ordered = sorted(self.phases, key=lambda phase: phase.start)
        for earlier, later in pairwise(ordered):
            if later.start < earlier.end:
                raise ValueError(f"phases: {earlier.name!r} and {later.name!r} overlap")
        unknown = set(self.targets.phases) - set(names)
        if unknown:
            raise ValueError(f"targets: no phase is named {sorted(unknown)[0]!r}")
        return self

    def phase_at(self, moment: datetime) -> str | None:
        """The name of the phase that holds the moment, or None between phases."""
        return next((phase.name for phase in self.phases if phase.start <= moment < phase.end), None)
