"""A rule as people write it, checked when it is read."""

from __future__ import annotations

import re
import string
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from services.alerts.detectors import DETECTORS, AnyDetector
from services.alerts.lifecycle import Pace

Severity = Literal["info", "warning", "critical"]

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h)$")
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


Duration = Annotated[int, BeforeValidator(parse_duration), Field(ge=0, le=86_400_000)]


class Rule(BaseModel):
    """One rule. `detector` defaults to the rule's name; `for` and `keep_firing_for` are durations."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    detector: str = ""
    enabled: bool = True
    severity: Severity
    for_ms: Duration = Field(0, alias="for", validate_default=False)
    keep_ms: Duration = Field(0, alias="keep_firing_for", validate_default=False)
    summary: str = Field(min_length=1, max_length=500)
    runbook: str = Field(min_length=1, max_length=4000)
    parameters: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _default_detector(cls, data: Any) -> Any:
        return {"detector": data.get("name"), **data} if isinstance(data, dict) else data

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
        known = detector.facts | _LABELS | {"value", "threshold"}
        try:
            parts = [part for part in string.Formatter().parse(self.summary) if part[1] is not None]
        except ValueError as error:
            raise ValueError(f"summary: {error}") from None
        # A format that does not fit the value would only show when the alert fires.
        if any(form or conversion for _, _, form, conversion in parts):
            raise ValueError("summary: write {name} without a format")
        used = {name for _, name, _, _ in parts if name is not None}
        if unknown := sorted(used - known):
            raise ValueError(f"summary: {{{unknown[0]}}} is unknown; it may use {', '.join(sorted(known))}")
        # The defaults are spelt out, so that GET /api/v1/rules shows what is in force.
        object.__setattr__(self, "parameters", checked.model_dump())
        return self

    def build(self) -> AnyDetector:
        """The rule's detector with its parameters."""
        detector = DETECTORS[self.detector]
        return detector(detector.parameters_type(**self.parameters))

    @property
    def pace(self) -> Pace:
        return Pace(self.for_ms, self.keep_ms)


class RuleFile(BaseModel):
    """A rules file: the list of rules, their names all different."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: list[Rule] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rules are named {name!r}")
        return self
