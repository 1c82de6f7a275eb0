"""A rule as people write it, checked when it is read."""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.metrics import METRICS
from services.alerts.detectors import DETECTORS, AnyDetector, CampaignDetector
from services.alerts.lifecycle import Pace
from services.alerts.selection import Comparison, Condition, Selection
from services.common.clock import MINUTE_MS

Severity = Literal["info", "warning", "critical"]

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)$")
_CONDITION = re.compile(r"^\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_LABELS = {"campaign_id", "channel", "item_id", "topic"}


def parse_duration(value: Any) -> int:
    """Milliseconds of `15s`, `2m`, `1h`, `500ms` or a number of seconds. Raises `ValueError`."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return round(value * 1000)
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a duration such as 15s, 2m or 1h")
    return round(float(match.group(1)) * _UNIT_MS[match.group(2)])


LabelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

Duration = Annotated[int, BeforeValidator(parse_duration), Field(ge=0, le=86_400_000)]


class Text(BaseModel):
    """A template in English and Chinese; a plain text in YAML is both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str = Field(min_length=1, max_length=4000)
    zh: str = Field(min_length=1, max_length=4000)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return {"en": data, "zh": data} if isinstance(data, str) else data


class Severities(BaseModel):
    """How bad it is, by phase; `none` in a phase: the rule is not judged in it. A plain word in YAML is the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Severity | Literal["none"]
    phases: dict[str, Severity | Literal["none"]] = {}

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return {"default": data} if isinstance(data, str) else data

    def at(self, phase: str) -> Severity | None:
        """The severity in a phase, '' being none of them; None where the rule is not judged."""
        severity = self.phases.get(phase, self.default)
        return None if severity == "none" else severity


class Rule(BaseModel):
    """One rule. `detector` defaults to the rule's name; `for`, `keep_firing_for` and `window` are durations.

    `metric`, `filter`, `by`, `window` and `condition` are for detectors that look at a metric of the catalogue.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    detector: str = ""
    enabled: bool = True
    metric: str | None = None
    filter: dict[str, list[str]] = {}
    by: str | None = None
    window_ms: Duration = Field(300_000, alias="window", validate_default=False)
    condition: str | None = None
    for_ms: Duration = Field(0, alias="for", validate_default=False)
    keep_ms: Duration = Field(0, alias="keep_firing_for", validate_default=False)
    severity: Severities
    owner: str = Field("", max_length=128)
    labels: dict[LabelName, Annotated[str, Field(max_length=256)]] = {}
    summary: Text
    runbook: Text
    annotations: dict[LabelName, Text] = {}
    parameters: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _default_detector(cls, data: Any) -> Any:
        return {"detector": data.get("name"), **data} if isinstance(data, dict) else data

    @field_validator("filter", mode="before")
    @classmethod
    def _one_value(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: [value] if isinstance(value, str) else value for name, value in data.items()}

    @model_validator(mode="after")
    def _known(self) -> Self:
        detector = DETECTORS.get(self.detector)
        if detector is None:
            raise ValueError(f"detector: there is no {self.detector!r}; known are {', '.join(DETECTORS)}")
        try:
            checked = detector.parameters_type(**self.parameters)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(["parameters", *map(str, first["loc"])])
            raise ValueError(f"{where}: {first['msg']}") from None
        self._check_selection(detector)
        known = detector.facts | _LABELS | self.labels.keys() | {"value", "threshold", "phase", "owner", "severity"}
        known |= {self.by} if self.by else set()
        for field, text in (("summary", self.summary), *self.annotations.items()):
            _check_template(field, text.en, known)
            _check_template(field, text.zh, known)
        # The defaults are spelt out, so that GET /api/v1/rules shows what is in force.
        object.__setattr__(self, "parameters", checked.model_dump())
        return self

    def _check_selection(self, detector: type[AnyDetector]) -> None:
        takes_metric = issubclass(detector, CampaignDetector) and detector.takes_metric
        takes_condition = issubclass(detector, CampaignDetector) and detector.takes_condition
        if not takes_metric:
            for field in ("metric", "filter", "by", "window_ms"):
                if field in self.model_fields_set:
                    name = field.removesuffix("_ms")
                    raise ValueError(f"{name}: the detector {self.detector!r} takes none")
        elif self.metric not in METRICS:
            raise ValueError(f"metric: must be one of {', '.join(METRICS)}")
        else:
            for name in (*self.filter, *([self.by] if self.by else [])):
                if name not in METRICS[self.metric].dimensions:
                    raise ValueError(f"{name!r} is no dimension of {self.metric}")
            if self.window_ms < MINUTE_MS or self.window_ms % MINUTE_MS:
                raise ValueError("window: must be whole minutes")
        if takes_condition != (self.condition is not None):
            needed = "needs one, such as '> 100'" if takes_condition else "takes none"
            raise ValueError(f"condition: the detector {self.detector!r} {needed}")
        if self.condition is not None:
            parse_condition(self.condition)

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
    def pace(self) -> Pace:
        return Pace(self.for_ms, self.keep_ms)


def parse_condition(text: str) -> Condition:
    """Reads `> 100`, `<= 0.5` and the like. Raises `ValueError`."""
    match = _CONDITION.match(text)
    if match is None:
        raise ValueError("condition: must be a comparison and a number, such as '> 100' or '<= 0.5'")
    return Condition(cast(Comparison, match[1]), Decimal(match[2]))


def _check_template(field: str, text: str, known: Collection[str]) -> None:
    try:
        parts = [part for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None
    # A format that does not fit the value would only show when the alert fires.
    if any(form or conversion for _, _, form, conversion in parts):
        raise ValueError(f"{field}: write {{name}} without a format")
    used = {name for _, name, _, _ in parts if name is not None}
    if unknown := sorted(used - set(known)):
        raise ValueError(f"{field}: {{{unknown[0]}}} is unknown; it may use {', '.join(sorted(known))}")


class RuleFile(BaseModel):
    """A rules file: the list of rules, their names all different."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: list[Rule] = Field(min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules are named {name!r}")
        return self
