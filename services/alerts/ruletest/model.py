"""A file of rule tests as people write it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from schemas.metrics import METRICS
from services.alerts.plan import Plan, PlannedPhase
from services.alerts.rules.model import Duration, Severity, parse_duration
from services.alerts.ruletest.notation import Written, parse_series
from services.alerts.ruletest.series import check_series
from services.common.clock import to_ms


def _moment(value: Any) -> int:
    """Milliseconds, which may lie before the beginning."""
    if isinstance(value, str) and value.startswith("-"):
        return -parse_duration(value[1:])
    return parse_duration(value)


Moment = Annotated[int, BeforeValidator(_moment)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TestPhase(_Strict):
    """Moments count from the beginning of the test."""

    name: str = Field(min_length=1, max_length=64)
    start: Moment
    end: Moment
    targets: dict[str, Decimal] = {}


class TestCampaign(_Strict):
    """What is planned; by default a campaign without targets that goes on long before and after the test."""

    id: str = Field("test", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    start: Moment = -7 * 86_400_000
    end: Moment = 7 * 86_400_000
    phases: list[TestPhase] = []
    targets: dict[str, Decimal] = {}
    budgets: dict[str, Decimal] = {}
    gross_margin: Decimal = Decimal(1)
    timezone: str = "Asia/Shanghai"

    @field_validator("targets")
    @classmethod
    def _known(cls, targets: dict[str, Decimal]) -> dict[str, Decimal]:
        for name in targets:
            if name not in METRICS:
                raise ValueError(f"there is no metric {name!r}")
        return targets

    def plan(self, begin_ms: int) -> Plan:
        """The plan when the test begins at that moment."""
        return Plan(
            start_ms=begin_ms + self.start,
            end_ms=begin_ms + self.end,
            phases=tuple(
                PlannedPhase(phase.name, begin_ms + phase.start, begin_ms + phase.end, dict(phase.targets))
                for phase in sorted(self.phases, key=lambda phase: phase.start)
            ),
            targets=dict(self.targets),
            budgets=dict(self.budgets),
            gross_margin=self.gross_margin,
            timezone=self.timezone,
        )


class Expected(_Strict):
    """An alert that must be there. What is not said is not compared; of `labels` all are said but the campaign."""

    rule: str | None = None
    state: Literal["pending", "firing"] = "firing"
    labels: dict[str, str] | None = None
    severity: Severity | None = None
    summary: str | None = None
    summary_zh: str | None = None
    owner: str | None = None
    phase: str | None = None
    paged: bool | None = Field(None, description="false: a cause is told in its place")


class Expectation(_Strict):
    """All alerts that fire at a moment, of one rule or of all; an empty list says that none does."""

    eval_time: Duration
    rule: str | None = None
    alerts: list[Expected] = []

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        for alert in self.alerts:
            if self.rule is None and alert.rule is None:
                raise ValueError("name a `rule` here or in each alert")
            if self.rule is not None and alert.rule not in (None, self.rule):
                raise ValueError(f"an alert of {alert.rule!r} cannot be one of {self.rule!r}")
        return self


class RuleTest(_Strict):
    """Series, and what must be told of them.

    The first value of each series also fills the `history` before the test begins; after its last value nothing more
    happens.
    """

    name: str = Field(min_length=1, max_length=200)
    interval: Duration = Field(10_000, ge=1000, le=3_600_000, validate_default=False)
    history: Duration = Field(3_600_000, validate_default=False)
    start: AwareDatetime = Field(datetime.fromisoformat("2026-11-11T12:00:00+08:00"), validate_default=False)
    campaign: TestCampaign = TestCampaign()
    input_series: dict[str, str | int] = Field(min_length=1, max_length=500)
    alert_rule_test: list[Expectation] = Field(min_length=1, max_length=1000)
    never: list[str] = Field([], description="rules that fire at no moment of the test: what it shows looks alike")

    @field_validator("interval", "history")
    @classmethod
    def _whole(cls, value: int) -> int:
        if value % 1000:
            raise ValueError("must be whole seconds")
        return value

    @field_validator("input_series")
    @classmethod
    def _readable(cls, series: dict[str, str | int]) -> dict[str, str | int]:
        for name, values in series.items():
            try:
                check_series(parse_series(name, str(values)))
            except ValueError as error:
                raise PydanticCustomError("series", "{text}", {"text": str(error), "key": name}) from None
        return series

    @property
    def series(self) -> list[Written]:
        return [parse_series(name, str(values)) for name, values in self.input_series.items()]

    @property
    def begin_ms(self) -> int:
        """The beginning, on a minute, in epoch milliseconds."""
        return to_ms(self.start) // 60_000 * 60_000


class RuleTestFile(_Strict):
    """`rule_files` are relative to this file; `default` is what ships with Warroom."""

    rule_files: list[str] = Field(["default"], min_length=1, max_length=100)
    tests: list[RuleTest] = Field(min_length=1, max_length=1000)
