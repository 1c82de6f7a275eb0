"""What a rule says to people: texts in two languages, and the contingency plan, graded by severity."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Severity = Literal["info", "warning", "critical"]

_Words = Annotated[str, Field(min_length=1, max_length=4000)]


def _or_plain(schema: dict[str, Any]) -> None:
    """In a JSON Schema: a plain text in place of the mapping."""
    mapping = {key: schema.pop(key) for key in list(schema) if key not in ("title", "description")}
    schema["anyOf"] = [{"type": "string", "minLength": 1}, mapping]


class Text(BaseModel):
    """A template in English and Chinese; a plain text in YAML is both."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_or_plain)

    en: _Words
    zh: _Words

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        return {"en": data, "zh": data} if isinstance(data, str) else data


class Grade(BaseModel):
    """What a severity asks for beyond the steps that are always taken, and who carries it out if somebody else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str = Field("", max_length=128, description="who carries the plan out at this severity")
    steps: list[Text] = Field([], max_length=50, description="steps after those that are always taken")


def _or_text(schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    plan = {name: properties[name] for name in ("owner", "steps", "by_severity")}
    del schema["properties"], schema["type"], schema["additionalProperties"]
    schema["anyOf"] = [
        properties["text"]["anyOf"][0],
        {
            "type": "object",
            "properties": plan,
            "additionalProperties": False,
            "anyOf": [{"required": ["steps"]}, {"required": ["by_severity"]}],
        },
    ]


class Runbook(BaseModel):
    """What to do: a text, or a plan of steps with an owner, with more steps for some severities.

    In YAML either a text (`"..."` or `{en, zh}`) or `{owner, steps, by_severity: {critical: {owner, steps}}}`. The
    steps of a severity come after those that are always taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_or_text)

    text: Text | None = None
    owner: str = Field("", max_length=128, description="who carries the plan out; absent, the rule's owner")
    steps: list[Text] = Field([], max_length=50, description="steps that are always taken, in order")
    by_severity: dict[Severity, Grade] = Field({}, description="what some severities ask for beyond that")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        if isinstance(data, str) or (isinstance(data, dict) and data.keys() & {"en", "zh"}):
            return {"text": data}
        return data

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.text is None and not self.steps and not any(grade.steps for grade in self.by_severity.values()):
            raise ValueError("needs a text or steps")
        return self

    def at(self, severity: Severity, owner: str = "") -> Text:
        """The plan at a severity, in both languages; `owner` is the rule's, for a plan that names none."""
        if self.text is not None:
            return self.text
        grade = self.by_severity.get(severity, Grade(owner="", steps=[]))
        steps = [*self.steps, *grade.steps]
        named = grade.owner or self.owner or owner
        # A severity without a step of its own, in a plan without common ones.
        if not steps:
            return Text(en=f"Owner: {named or '-'}", zh=f"负责人：{named or '-'}")
        return Text.model_construct(
            en="\n".join([*([f"Owner: {named}"] if named else []), *(f"{n}. {s.en}" for n, s in enumerate(steps, 1))]),
            zh="\n".join([*([f"负责人：{named}"] if named else []), *(f"{n}. {s.zh}" for n, s in enumerate(steps, 1))]),
        )
