"""What is wrong with a rule whose fields are each in good form: names that do not exist, fields that do not fit."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from schemas.metrics import METRICS
from services.alerts.detectors import DETECTORS, AnyDetector, CampaignDetector, PipelineDetector
from services.alerts.selection import parse_condition
from services.common.clock import MINUTE_MS

if TYPE_CHECKING:
    from services.alerts.rules.model import Rule

LABELS = frozenset({"campaign_id", "channel", "item_id", "topic", "suspect", "batch_id"})
"""Labels that alerts have by themselves."""
_TAKEN = LABELS | {"alertname", "rule", "severity", "phase"}
_SIGNED = {"net_sales", "roi"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A field of a rule, as the steps that lead to it, and what is wrong with it: with its value, or its name."""

    path: tuple[str | int, ...]
    message: str
    on_name: bool = False

    @property
    def field(self) -> str:
        return ".".join(map(str, self.path))


def findings(rule: Rule) -> Iterator[Finding]:
    """Everything that is wrong with it, in the order of its fields."""
    detector = DETECTORS.get(rule.detector)
    if detector is None:
        what = f"there is no {rule.detector!r}"
        if rule.detector == rule.name:
            what = f"is required, for none is named {rule.name!r} as the rule is"
        yield Finding(("detector",), f"{what}{nearest(rule.detector, DETECTORS)}; known are {', '.join(DETECTORS)}")
        return
    yield from _selection(rule, detector)
    yield from _severity(rule, detector)
    for label in rule.labels:
        if label in _TAKEN or label == rule.by:
            yield Finding(("labels", label), "is a label that Warroom sets itself; choose another name", on_name=True)
    yield from _texts(rule, detector)
    yield from _parameters(rule, detector)


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _selection(rule: Rule, detector: type[AnyDetector]) -> Iterator[Finding]:
    takes_metric = issubclass(detector, CampaignDetector) and detector.takes_metric
    takes_condition = issubclass(detector, CampaignDetector) and detector.takes_condition
    if not takes_metric:
        for field in ("metric", "filter", "by", "window_ms"):
            if field in rule.model_fields_set:
                yield Finding((field.removesuffix("_ms"),), f"the detector {rule.detector!r} takes none")
    elif rule.metric is None:
        yield Finding(("metric",), f"the detector {rule.detector!r} needs one of {', '.join(METRICS)}")
    elif rule.metric not in METRICS:
        guess = nearest(rule.metric, METRICS)
        yield Finding(("metric",), f"there is no {rule.metric!r}{guess}; must be one of {', '.join(METRICS)}")
    else:
        yield from _dimensions(rule, rule.metric)
        if rule.window_ms < MINUTE_MS or rule.window_ms % MINUTE_MS:
            yield Finding(("window",), "must be whole minutes, 1m at the least")
    if takes_condition and rule.condition is None:
        yield Finding(("condition",), f"the detector {rule.detector!r} needs one, such as '> 100'")
    elif not takes_condition and rule.condition is not None:
        yield Finding(("condition",), f"the detector {rule.detector!r} takes none")
    elif rule.condition is not None:
        yield from _condition(rule, rule.condition)


def _dimensions(rule: Rule, metric: str) -> Iterator[Finding]:
    carried = METRICS[metric].dimensions
    known = f"; it has {', '.join(carried)}"
    for name in rule.filter:
        if name not in carried:
            yield Finding(("filter", name), f"is no dimension of {metric}{known}", on_name=True)
    if rule.by is not None and rule.by not in carried:
        yield Finding(("by",), f"{rule.by!r} is no dimension of {metric}{known}")


def _condition(rule: Rule, text: str) -> Iterator[Finding]:
    try:
        condition = parse_condition(text)
    except ValueError as error:
        yield Finding(("condition",), str(error))
        return
    # Nothing of the catalogue but these two is ever below zero.
    outside = condition.bound < 0 or (condition.bound == 0 and condition.comparison in ("<", ">="))
    if outside and rule.metric in METRICS and rule.metric not in _SIGNED:
        always = "is always so" if condition.above else "can never be"
        yield Finding(("condition",), f"{always}: {rule.metric} is never negative")


def _severity(rule: Rule, detector: type[AnyDetector]) -> Iterator[Finding]:
    if issubclass(detector, PipelineDetector) and rule.severity.phases:
        yield Finding(("severity", "phases"), f"the detector {rule.detector!r} is about no campaign, and has no phases")
    severities = {rule.severity.default, *rule.severity.phases.values()}
    if severities == {"none"}:
        yield Finding(("severity",), "is none everywhere; write `enabled: false` to switch the rule off")


def _texts(rule: Rule, detector: type[AnyDetector]) -> Iterator[Finding]:
    known = detector.facts | LABELS | rule.labels.keys() | {"value", "threshold", "phase", "owner", "severity"}
    known |= {rule.by} if rule.by else set()
    for name in rule.annotations:
        if name in ("summary", "runbook") or name.endswith("_zh"):
            yield Finding(("annotations", name), "is a name that Warroom uses itself; choose another", on_name=True)
    texts = [(("summary",), rule.summary), *((("annotations", name), text) for name, text in rule.annotations.items())]
    for path, text in texts:
        for language in ("en", "zh"):
            message = _template(getattr(text, language), known)
            if message and (language == "en" or text.zh != text.en):
                yield Finding((*path, language), message)


def _template(text: str, known: Collection[str]) -> str | None:
    try:
        parts = [part for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        return f"{error}; write {{{{ and }}}} for braces"
    # A format that does not fit the value would only show when the alert fires.
    if any(form or conversion for _, _, form, conversion in parts):
        return "write {name} without a format"
    used = {name for _, name, _, _ in parts if name is not None}
    if unknown := sorted(used - set(known)):
        guess = nearest(unknown[0], known)
        return f"{{{unknown[0]}}} is unknown{guess}; it may use {', '.join(sorted(known))}"
    return None


def _parameters(rule: Rule, detector: type[AnyDetector]) -> Iterator[Finding]:
    known = detector.parameters_type.model_fields
    for name, value in rule.parameters.items():
        # Pydantic takes true for 1.
        if isinstance(value, bool) and name in known and "bool" not in str(known[name].annotation):
            yield Finding(("parameters", name), f"must not be {str(value).lower()}")
    try:
        checked = detector.parameters_type(**rule.parameters)
    except ValidationError as error:
        for detail in error.errors():
            path = ("parameters", *detail["loc"])
            message = str(detail["msg"]).removeprefix("Value error, ")
            if detail["type"] == "extra_forbidden":
                has = f"it has {', '.join(known)}" if known else "it has none"
                guess = nearest(str(path[-1]), known)
                message = f"is no parameter of {rule.detector!r}{guess}; {has}"
            yield Finding(path, message, on_name=detail["type"] == "extra_forbidden")
        return
    # A second metric that the detector reads beside the rule's own.
    count = getattr(checked, "count", None)
    if rule.metric in METRICS and isinstance(count, str):
        if count not in METRICS:
            yield Finding(("parameters", "count"), f"there is no metric {count!r}{nearest(count, METRICS)}")
            return
        for name in {*rule.filter, *([rule.by] if rule.by else [])} - set(METRICS[count].dimensions):
            yield Finding(("parameters", "count"), f"{count} has no {name}")
