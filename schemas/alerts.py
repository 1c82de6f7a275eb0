"""Alerts, rules and silences as HTTP answers and bodies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

AlertState = Literal["pending", "firing", "acknowledged", "resolved"]
Severity = Literal["info", "warning", "critical"]

PIPELINE_CAMPAIGN = "*"
"""`campaign_id` of an alert about the pipeline itself: it concerns every campaign."""


class Impact(BaseModel):
    """What an incident costs while it lasts: an estimate in the reporting currency, and what it rests on.

    `basis_zh` is empty for alerts that were recorded before there was one.
    """

    loss_per_minute: str
    basis: str
    basis_zh: str = ""


class Alert(BaseModel):
    """One incident of one rule and one set of labels.

    `incident` is the id of the alert that is its cause, or its own; `inhibited`: not paged because of that cause.
    `annotations` are the rule's texts as rendered, the Chinese ones under names that end in `_zh`.
    """

    id: str
    rule: str
    severity: Severity
    state: AlertState
    campaign_id: str
    labels: dict[str, str]
    value: float
    threshold: float
    summary: str
    runbook: str
    starts_at: datetime
    ends_at: datetime | None
    complete_until: datetime
    evidence: dict[str, Any]
    incident: str
    inhibited: bool
    owner: str = ""
    phase: str = ""
    impact: Impact | None = None
    annotations: dict[str, str] = {}


Outcome = Literal["waiting", "delivered", "undelivered"]


class Delivery(BaseModel):
    """What became of a notice at one receiver; `detail` is its answer in short."""

    receiver: str
    outcome: Outcome
    at: datetime | None = None
    attempts: int | None = None
    detail: str | None = None


class Moment(BaseModel):
    """One line of a timeline. `delivery` is null where no receiver was to hear of it.

    It is `waiting` until all have heard of it or have been given up, and then `delivered` only if all have.
    """

    at: datetime
    state: AlertState
    by: str | None = None
    note: str | None = None
    delivery: Outcome | None = None
    deliveries: list[Delivery] = []


class AlertDetail(Alert):
    """An alert with what happened to it, the first thing first."""

    timeline: list[Moment]


class Acknowledgement(BaseModel):
    """Who takes an alert on."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="who does; with a login it is who asks, whatever this says"
    )
    note: Annotated[str, Field(max_length=2000)] = ""


class Matcher(BaseModel):
    """As Alertmanager has them: `isRegex` (RE2, the whole value), and `isEqual` false for labels that do not match."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    value: Annotated[str, Field(max_length=256)]
    is_regex: Annotated[bool, Field(alias="isRegex")] = False
    is_equal: Annotated[bool, Field(alias="isEqual")] = True


class Repeats(BaseModel):
    """Hours that come again on these days; an end that is not later is on the next day."""

    model_config = ConfigDict(extra="forbid")

    hours: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = []
    timezone: str = "Asia/Shanghai"

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise ValueError("must be a name such as Asia/Shanghai") from None
        return name


class NewSilence(BaseModel):
    """Mutes alerts whose labels all match; `rule` and `severity` count as labels.

    A matcher is the label's value, or says how to match it. With `repeats` it is a maintenance window.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "matchers": {"rule": "stock_out", "item_id": "sku-1"},
                "duration": "2h",
                "by": "lin",
                "comment": "sold out on purpose",
            }
        },
    )

    matchers: Annotated[dict[str, str | Matcher], Field(min_length=1, max_length=20)]
    repeats: Repeats | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    duration: Annotated[str, Field(pattern=r"^\d{1,6}(s|m|h|d)$")] | None = None
    by: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="who mutes; with a login it is who asks, whatever this says"
    )
    comment: Annotated[str, Field(max_length=2000)] = ""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.ends_at is None) == (self.duration is None):
            raise ValueError("give either ends_at or duration")
        return self


class Silence(BaseModel):
    """A silence as it stands."""

    id: str
    matchers: dict[str, str | Matcher]
    starts_at: datetime
    ends_at: datetime
    state: Literal["pending", "active", "expired"]
    by: str
    comment: str
    created_at: datetime
    repeats: Repeats | None = None
    ended_by: str = ""


class Rule(BaseModel):
    """A rule in force. `state` is that of its worst alert; durations are in seconds.

    `severity` is the one outside of the phases that `severities` names; `runbook` is that of the gravest, `runbooks`
    has them by severity. `metric`, `filter`, `by`, `window_seconds` and `condition` are null or empty where its
    detector takes none. `source` is the file and line that it comes from.
    """

    name: str
    detector: str
    severity: Severity
    state: Literal["inactive", "pending", "firing"]
    pending: int
    firing: int
    acknowledged: int
    for_seconds: float
    keep_firing_for_seconds: float
    summary: str
    runbook: str
    parameters: dict[str, Any]
    summary_zh: str
    runbook_zh: str
    severities: dict[str, Any]
    owner: str
    metric: str | None
    filter: dict[str, list[str]]
    by: str | None
    window_seconds: float | None
    condition: str | None
    labels: dict[str, str]
    annotations: dict[str, dict[str, str]]
    runbooks: dict[str, dict[str, str]]
    source: str
