"""What the calls that speak of numbers answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from schemas.http.shapes.base import ABSENT, Figure, MetricFields, Moment, Money, Ratio, Told, metric_fields
from schemas.metrics import DIMENSIONS, METRICS, Unit

_DIMENSIONS = dict.fromkeys(DIMENSIONS, str)


class Metrics(MetricFields):
    """Every metric of the catalogue."""

    always = metric_fields()


class Ratios(MetricFields):
    """What each metric is to that of the baseline."""

    always = dict.fromkeys(METRICS, Ratio)


class SeriesRow(MetricFields):
    """A span, with the dimension and the metrics that were asked for, and those of the baseline beside them."""

    time: Moment
    sometimes: ClassVar[Mapping[str, Any]] = {
        **_DIMENSIONS,
        **metric_fields(),
        **metric_fields(ending="_baseline"),
        **metric_fields(ending="_difference"),
        **{f"{name}_ratio": Ratio for name in METRICS},
    }


class BreakdownRow(MetricFields):
    """A value of the dimension that was asked for, with the metrics."""

    sometimes: ClassVar[Mapping[str, Any]] = {**_DIMENSIONS, **metric_fields()}


class CatalogueRow(BaseModel):
    """A metric's definition, `_zh` in Chinese."""

    name: str
    title: str
    title_zh: str
    definition: str
    definition_zh: str
    explanation: str
    explanation_zh: str
    unit: Unit
    formula: str
    dimensions: list[str]


class PhaseSpan(BaseModel):
    """A named span of a campaign, its end excluded."""

    name: str
    start: Moment
    end: Moment


class PlannedEvent(BaseModel):
    """Something that is planned for a moment or a span of a campaign."""

    name: str
    start: Moment
    end: Moment | None = ABSENT


class CampaignRow(BaseModel):
    """A campaign as it is in force. One that was never declared begins with its first event and has no end.

    `targets` and numbers stand as they were sent.
    """

    id: str
    campaign_id: str
    name: str
    start: Moment
    end: Moment | None
    timezone: str
    gross_margin: float | str
    phases: list[PhaseSpan]
    targets: dict[str, Any]
    budgets: dict[str, float | str]
    baseline_campaign_id: str | None
    note: str | None
    calendar: list[PlannedEvent]
    currency: str
    declared: bool
    current_phase: str | None


class TargetState(BaseModel):
    """`attained` is the share of the target that is reached."""

    target: Figure
    value: Figure | None
    attained: Ratio


class TargetStates(BaseModel):
    """By metric, over the campaign and within each phase."""

    total: dict[str, TargetState]
    phases: dict[str, dict[str, TargetState]]


class Baseline(BaseModel):
    """The same metrics where the campaign is compared with, over the same elapsed time."""

    kind: str
    campaign_id: str
    from_: Moment = Field(alias="from")
    to: Moment
    metrics: Metrics
    difference: Metrics
    ratio: Ratios


class Overview(Told):
    """Every metric over a period."""

    campaign_id: str
    from_: Moment = Field(alias="from")
    to: Moment
    metrics: Metrics
    targets: TargetStates | None
    baseline: Baseline | None


class FunnelRow(BaseModel):
    """A step of the funnel."""

    step: str
    users: int | None
    step_conversion: Ratio
    overall_conversion: Ratio
    lost: int | None
    median_seconds: Ratio


class FunnelByRow(FunnelRow, MetricFields):
    """The same, for a value of the dimension that was asked for."""

    sometimes = _DIMENSIONS


class StockRow(BaseModel):
    """An item's stock over all warehouses, how fast it sells, and when it is gone at that rate."""

    item_id: str
    item_category: str | None
    available: int | None
    safety_stock: int | None
    sell_rate_per_minute: Ratio
    stockout_eta: Moment | None
    sell_rate_low: Ratio
    sell_rate_high: Ratio
    stockout_earliest: Moment | None
    stockout_latest: Moment | None
    at_risk: bool | None


class InventoryRow(StockRow):
    """The same with what was spent on it within the last hour, an estimate."""

    ad_cost_last_hour: Money | None


class LadderRow(BaseModel):
    """A rung of the ladder from what was placed to what is net of suspicion."""

    rung: str
    amount: Money | None
    orders: int | None
    share: Ratio


class LadderUntilRow(LadderRow):
    """The same with the moment up to which it is whole."""

    complete_until: Moment | None


class PacingRow(BaseModel):
    """A target or a budget: how far it is and where it is going."""

    metric: str
    scope: str
    phase: str | None
    channel: str | None
    from_: Moment = Field(alias="from")
    to: Moment
    state: str
    target: Figure
    value: Figure | None
    attained: Ratio
    expected: Figure | None
    expected_from: str | None
    expected_per_minute: Ratio
    ahead: Figure | None
    projected: Figure | None
    projected_low: Figure | None
    projected_high: Figure | None
    rate_per_minute: Ratio
    needed_per_minute: Ratio
    behind: bool | None
    exhausted_at: Moment | None
    complete_until: Moment | None
