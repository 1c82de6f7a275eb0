"""A rule as people write it, checked when it is read."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.alerts.detectors import DETECTORS, AnyDetector, CampaignDetector
from services.alerts.escalation import DEFAULT_AFTER_MS, DEFAULT_TIMES, Escalation
from services.alerts.incidents import Cause, Effect, effect_of
from services.alerts.lifecycle import Pace
from services.alerts.rules.findings import findings
from services.alerts.rules.texts import Runbook, Severity, Text
from services.alerts.selection import Selection, parse_condition

__all__ = ["Rule", "Runbook", "Severities", "Severity", "Text", "parse_duration"]

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)$")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def parse_duration(value: Any) -> int:
    """Milliseconds of `15s`, `2m`, `1h`, `500ms` or a number of seconds. Raises `ValueError`."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return round(value * 1000)
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a duration such as 15s, 2m or 1h")
    return round(float(match.group(1)) * _UNIT_MS[match.group(2)])


LabelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    Field(ge=0, le=86_400_000),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _DURATION.pattern},
                {"type": "number", "minimum": 0, "maximum": 86400},
            ]
        }
    ),
]

_Values = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256)]],
    Field(min_length=1, max_length=200),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]

GRAVEST_FIRST: tuple[Severity, ...] = ("critical", "warning", "info")
_Grade = Literal["info", "warning", "critical", "none"]


def _or_plain(schema: dict[str, Any]) -> None:
    mapping = {key: schema.pop(key) for key in list(schema) if key not in ("title", "description")}
    schema["anyOf"] = [mapping["properties"]["default"], mapping]


class Severities(BaseModel):
    """How bad it is, by phase; `none` in a phase: the rule is not judged in it. A plain word in YAML is the default."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_or_plain)

    default: _Grade
    phases: dict[Annotated[str, Field(min_length=1, max_length=64)], _Grade] = {}

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return {"default": data} if isinstance(data, str) else data

    def at(self, phase: str) -> Severity | None:
        """The severity in a phase, '' being none of them; None where the rule is not judged."""
        severity = self.phases.get(phase, self.default)
        return None if severity == "none" else severity

    @property
    def worst(self) -> Severity:
        """The gravest that it can have."""
        named = {self.default, *self.phases.values()}
        return next((severity for severity in GRAVEST_FIRST if severity in named), "info")


class Inhibitor(BaseModel):
    """A rule whose open alerts are the cause of this rule's, where the labels `equal` are the same in both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str = Field(min_length=1, max_length=64, description="the name of a rule, or of a detector for all its rules")
    equal: list[LabelName] = Field([], max_length=10, description="labels that must be the same in both alerts")


class Rule(BaseModel):
    """One rule. `metric`, `filter`, `by`, `window` and `condition` are for detectors that look at a metric."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="unique; the `alertname` of what it tells")
    detector: str = Field("", description="what judges it; absent, the detector that is named as the rule")
    enabled: bool = Field(True, description="false: it is checked, and not judged")
    metric: str | None = Field(None, description="a metric of the catalogue, see docs/metrics.md")
    filter: dict[str, _Values] = Field({}, description="only events with these values, by dimension")
    by: str | None = Field(None, description="judge each value of this dimension; absent, the campaign as a whole")
    window_ms: Duration = Field(300_000, alias="window", description="how far it looks back, in whole minutes")
    condition: str | None = Field(None, description="what is bad, such as `> 100` or `<= 0.5`")
    for_ms: Duration = Field(0, alias="for", description="how long it must last before it fires")
    keep_ms: Duration = Field(0, alias="keep_firing_for", description="how long it must be gone before it resolves")
    severity: Severities = Field(description="how bad it is; may differ by phase of the campaign")
    owner: str = Field("", max_length=128, description="who is called")
    labels: dict[LabelName, Annotated[str, Field(max_length=256)]] = Field(
        {}, description="added to the labels of its alerts"
    )
    summary: Text = Field(description="one line that says what is wrong; a template")
    runbook: Runbook = Field(description="what to do: a text, or steps with an owner, graded by severity")
    annotations: dict[LabelName, Text] = Field({}, description="more texts, each a template")
    inhibited_by: list[Inhibitor] | None = Field(
        None, description="rules that cause this one: while one of them is open this one is recorded and not paged"
    )
    wait_for_cause_ms: Duration | None = Field(
        None, alias="wait_for_cause", description="how long its page waits for a cause that is seen a little later"
    )
    escalate_after: Duration | dict[Severity, Duration] | None = Field(
        None,
        description="without an acknowledgement for so long it is escalated; may differ by severity, 0s is never",
    )
    escalate_times: int = Field(DEFAULT_TIMES, ge=1, le=20, description="how often it is escalated at that distance")
    parameters: dict[str, Any] = Field({}, description="what its detector can be told")

    @model_validator(mode="before")
    @classmethod
    def _default_detector(cls, data: Any) -> Any:
        return (
            {"detector": data["name"], **data} if isinstance(data, dict) and isinstance(data.get("name"), str) else data
        )

    @field_validator("filter", mode="before")
    @classmethod
    def _one_value(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value if isinstance(value, list) else [value] for name, value in data.items()}

    @model_validator(mode="after")
    def _known(self) -> Self:
        if found := list(findings(self)):
            raise PydanticCustomError(
                "rule", "{text}", {"text": "; ".join(f"{f.field}: {f.message}" for f in found), "findings": found}
            )
        # The defaults are spelt out, so that GET /api/v1/rules shows what is in force.
        checked = DETECTORS[self.detector].parameters_type(**self.parameters)
        object.__setattr__(self, "parameters", checked.model_dump())
        return self

    @property
    def selection(self) -> Selection | None:
        """What the rule looks at, where its detector takes a metric."""
        if self.metric is None:
            return None
        return Selection(
            self.metric,
            tuple(sorted((name, tuple(values)) for name, values in self.filter.items())),
            self.by,
            self.window_ms,
            None if self.condition is None else parse_condition(self.condition),
        )

    def build(self) -> AnyDetector:
        """The rule's detector with its parameters."""
        detector = DETECTORS[self.detector]
        parameters = detector.parameters_type(**self.parameters)
        if issubclass(detector, CampaignDetector):
            return detector(parameters, self.selection)
        return detector(parameters)

    @property
    def effect(self) -> Effect:
        """What the rule's alerts may be the effect of: what it says itself, or what ships for its detector."""
        given = self.inhibited_by
        causes = None if given is None else tuple(Cause(each.rule, tuple(each.equal)) for each in given)
        return effect_of(self.detector, causes, self.wait_for_cause_ms, self.window_ms if self.metric else 0)

    @property
    def escalation(self) -> Escalation:
        """When nobody's acknowledging it is told to others: what it says itself, or 5 minutes for what is critical."""
        given = self.escalate_after
        if given is None:
            return Escalation(DEFAULT_AFTER_MS, self.escalate_times)
        after = {**given} if isinstance(given, dict) else dict.fromkeys(GRAVEST_FIRST, given)
        return Escalation({str(severity): wait for severity, wait in after.items()}, self.escalate_times)

    @property
    def pace(self) -> Pace:
        return Pace(self.for_ms, self.keep_ms)
