"""JSON Schema of a rules file, from the models: what an editor completes, and says before anything is run."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from schemas.metrics import DIMENSIONS, METRICS
from services.alerts.detectors import DETECTORS, AnyDetector, CampaignDetector
from services.alerts.rules.check import MOST_RULES
from services.alerts.rules.model import Rule

PATH = "schemas/generated/rules.schema.json"


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def rules_schema() -> dict[str, Any]:
    """JSON Schema (2020-12). What it cannot say, such as which words a template may use, `warroom rules check` does."""
    rule = Rule.model_json_schema(by_alias=True, schema_generator=_Untitled)
    definitions: dict[str, Any] = rule.pop("$defs")
    properties = rule["properties"]
    properties["detector"] = {"enum": list(DETECTORS), "description": properties["detector"]["description"]}
    properties["metric"] = {"enum": list(METRICS), "description": properties["metric"]["description"]}
    properties["by"] = {"enum": list(DIMENSIONS), "description": properties["by"]["description"]}
    properties["condition"] = {
        "type": "string",
        "pattern": r"^\s*(>=|<=|>|<)\s*-?\d+(\.\d+)?\s*$",
        "description": properties["condition"]["description"],
    }
    for name, default in (("window", "5m"), ("for", "0s"), ("keep_firing_for", "0s")):
        properties[name]["default"] = default
    for name in ("labels", "annotations"):
        properties[name]["additionalProperties"] = False
    properties["filter"]["propertyNames"] = {"enum": list(DIMENSIONS)}
    for name, detector in DETECTORS.items():
        definitions[f"parameters_{name}"] = _parameters(detector)
    required = rule.pop("required")
    whole = {
        "required": required,
        "if": {"not": {"required": ["detector"]}},
        "then": {"properties": {"name": {"enum": list(DETECTORS)}}},
    }
    definitions["Rule"] = {**rule, "allOf": [_of_detector(name, detector) for name, detector in DETECTORS.items()]}
    definitions["WholeRule"] = {**whole, "allOf": [{"$ref": "#/$defs/Rule"}, *_of_detectors_that_need()]}
    nullable = {
        "description": "Changes the shipped rule of that name; null takes a field away.",
        "properties": {
            name: {"anyOf": [{"type": "null"}, {"$ref": f"#/$defs/Rule/properties/{name}"}]}
            for name in properties
            if name != "name"
        }
        | {"name": {"$ref": "#/$defs/Rule/properties/name"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    definitions["Override"] = nullable
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Warroom rules",
        "type": "object",
        "properties": {
            "extends": {
                "const": "default",
                "description": "keep the shipped rules; a rule here with the name of one of them changes it",
            },
            "rules": {"type": "array", "minItems": 1, "maxItems": MOST_RULES},
        },
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "then": {
            "properties": {"rules": {"items": {"anyOf": [{"$ref": "#/$defs/Override"}, {"$ref": "#/$defs/WholeRule"}]}}}
        },
        "else": {"required": ["rules"], "properties": {"rules": {"items": {"$ref": "#/$defs/WholeRule"}}}},
        "$defs": definitions,
    }


def rules_schema_text() -> str:
    """As it is written to `schemas/generated`."""
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"


def _parameters(detector: type[AnyDetector]) -> dict[str, Any]:
    schema = detector.parameters_type.model_json_schema(schema_generator=_Untitled)
    for name, told in schema.get("properties", {}).items():
        if name == "count":
            told["anyOf"] = [{"enum": list(METRICS)}, {"type": "null"}]
    return schema


def _uses(name: str) -> dict[str, Any]:
    """Whether a rule is judged by the detector: it says so, or is named as it is."""
    return {
        "anyOf": [
            {"properties": {"detector": {"const": name}}, "required": ["detector"]},
            {"not": {"required": ["detector"]}, "properties": {"name": {"const": name}}, "required": ["name"]},
        ]
    }


def _of_detector(name: str, detector: type[AnyDetector]) -> dict[str, Any]:
    """What a rule of the detector may say."""
    properties: dict[str, Any] = {"parameters": {"$ref": f"#/$defs/parameters_{name}"}}
    if not (issubclass(detector, CampaignDetector) and detector.takes_metric):
        properties |= dict.fromkeys(("metric", "filter", "by", "window"), False)
    if not (issubclass(detector, CampaignDetector) and detector.takes_condition):
        properties["condition"] = False
    return {"if": _uses(name), "then": {"properties": properties}}


def _of_detectors_that_need() -> list[dict[str, Any]]:
    """What a rule of a detector must say."""
    needs = []
    for name, detector in DETECTORS.items():
        if issubclass(detector, CampaignDetector):
            fields = [
                *(["metric"] if detector.takes_metric else []),
                *(["condition"] if detector.takes_condition else []),
            ]
            if fields:
                needs.append({"if": _uses(name), "then": {"required": fields}})
    return needs
