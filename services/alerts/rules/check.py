"""From the texts of rules files to rules, and everything that is wrong on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from services.alerts.incidents import Circle, incidents_of
from services.alerts.rules.document import Document, Path, Place, read_yaml
from services.alerts.rules.findings import nearest
from services.alerts.rules.model import Inhibitor, Rule, Severities
from services.alerts.rules.problem import Problem
from services.alerts.rules.texts import Grade, Runbook, Text

MOST_RULES = 2000
_TOP = ("extends", "rules")
FIELDS: Mapping[str, str] = {field.alias or name: name for name, field in Rule.model_fields.items()}
"""The fields of a rule as they are written."""
_STAND_INS: Mapping[str, Any] = {"severity": "info", "summary": "s", "runbook": "r"}
_DEEPLY = ("labels", "annotations", "parameters")
"""Fields of an override that change what they name and keep the rest."""


@dataclass(slots=True)
class Checked:
    """The rules, the switched off ones included, and where each is; they are whole only without problems."""

    rules: list[Rule] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Entry:
    """A rule as written, and where: `path` leads to it in its document."""

    data: Any
    document: Document
    path: Path

    @property
    def place(self) -> Place:
        return self.document.values[self.path]

    @property
    def name(self) -> str:
        """What it is called in messages."""
        name = self.data.get("name") if isinstance(self.data, dict) else None
        return name if isinstance(name, str) and name else f"number {int(self.path[-1]) + 1}"


def check(texts: Iterable[tuple[str, str]], base: tuple[str, str] | None = None) -> Checked:
    """The rules of the texts together, each given as (source, text); `base` is what `extends: default` refers to."""
    checked = Checked()
    entries: list[_Entry] = []
    patches: list[_Entry] = []
    extended = False
    for source, text in texts:
        extends, found = _read(source, text, checked)
        extended = extended or extends
        (patches if extends else entries).extend(found)
    shipped: dict[str, _Entry] = {}
    if extended and base is not None:
        shipped = {entry.name: entry for entry in _read(*base, checked)[1]}
    together = _together(entries, patches, shipped, checked)
    if len(together) > MOST_RULES:
        place = together[MOST_RULES].place
        checked.problems.append(_at(place, f"there are {len(together)} rules; {MOST_RULES} are the most"))
    for entry in together:
        rule, problems = _rule(entry)
        checked.problems += problems
        if rule is not None:
            checked.rules.append(rule)
            checked.places[rule.name] = entry.place
    try:
        incidents_of(checked.rules)
    except Circle as circle:
        entry = next(entry for entry in together if entry.name == circle.rules[0])
        checked.problems.append(_place(entry, ("inhibited_by",), str(circle)))
    # What is no value at all is also not a value of its field.
    unreadable = {(one.source, one.line, one.column) for one in checked.problems if not one.field}
    checked.problems = sorted(
        {one for one in checked.problems if not one.field or (one.source, one.line, one.column) not in unreadable}
    )
    return checked


def _read(source: str, text: str, checked: Checked) -> tuple[bool, list[_Entry]]:
    """Whether the file extends the shipped rules, and its entries."""
    document = read_yaml(text, source)
    checked.problems += document.problems
    data = document.data
    if document.problems and data is None:
        return False, []
    start = document.values.get((), Place(source, 1, 1))
    if not isinstance(data, dict):
        checked.problems.append(_at(start, "must be a mapping with `rules`"))
        return False, []
    for name in data:
        if name not in _TOP:
            guess = nearest(name, _TOP)
            checked.problems.append(_at(document.names[(name,)], f"there is no field {name!r}{guess}"))
    extends = data.get("extends")
    if extends not in (None, "default"):
        checked.problems.append(_at(document.values[("extends",)], "may only be `default`", field="extends"))
    rules = data.get("rules")
    if extends is not None and rules is None:
        return True, []
    if not isinstance(rules, list) or not rules:
        place = document.values.get(("rules",), start)
        checked.problems.append(_at(place, "must be a list with one rule at the least", field="rules"))
        return extends is not None, []
    return extends is not None, [_Entry(rule, document, ("rules", n)) for n, rule in enumerate(rules)]


def _together(
    entries: Sequence[_Entry], patches: Sequence[_Entry], shipped: Mapping[str, _Entry], checked: Checked
) -> list[_Entry]:
    """All rules, with overrides laid over the shipped ones, and no name twice."""
    seen: dict[str, _Entry] = {}
    result = []
    for entry in (*entries, *patches):
        if not isinstance(entry.data, dict):
            place = entry.place
            checked.problems.append(_at(place, "must be a mapping with `name`, `severity` and so on", rule=entry.name))
            continue
        if (known := seen.get(entry.name)) is not None:
            other = f"{known.place.source}:{known.place.line}"
            checked.problems.append(_at(entry.place, f"two rules are named {entry.name!r}; the other is {other}"))
            continue
        seen[entry.name] = entry
        result.append(entry)
    overrides = {id(entry) for entry in patches}
    for number, entry in enumerate(result):
        under = shipped.get(entry.name)
        if under is None:
            continue
        if id(entry) not in overrides:
            message = "is the name of a shipped rule; say `extends: default` in this file to change that one"
            checked.problems.append(_at(entry.place, message, rule=entry.name))
        result[number] = _Entry(_over(under.data, entry.data), entry.document, entry.path)
    return [*(entry for name, entry in shipped.items() if name not in seen), *result]


def _over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The rule with the fields of its override; null takes a field away."""
    result = dict(under)
    # Another detector has other parameters.
    if over.get("detector", under.get("detector")) != under.get("detector"):
        result.pop("parameters", None)
    for name, value in over.items():
        if value is None:
            result.pop(name, None)
        elif name in _DEEPLY and isinstance(value, dict):
            merged = {**(result.get(name) or {}), **value}
            result[name] = {key: inner for key, inner in merged.items() if inner is not None}
        else:
            result[name] = value
    return result


def _rule(entry: _Entry) -> tuple[Rule | None, list[Problem]]:
    """The rule, or all that is wrong with it: also what would only show once the rest is put right."""
    try:
        rule = Rule.model_validate(entry.data)
        rule.build()
    except ValidationError as error:
        problems = list(_problems(entry, error))
        bad = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
    except ValueError as error:
        # A detector may refuse parameters that only together are wrong.
        return None, [_place(entry, ("parameters",), str(error))]
    else:
        return rule, []
    if bad and not bad & {"name", "detector"}:
        patched = {name: value for name, value in entry.data.items() if name not in bad}
        patched |= {name: value for name, value in _STAND_INS.items() if name not in patched}
        try:
            Rule.model_validate(patched)
        except ValidationError as error:
            problems += _problems(entry, error, without=bad)
    return None, problems


def _problems(entry: _Entry, error: ValidationError, without: Collection[str] = ()) -> Iterator[Problem]:
    for detail in error.errors():
        if detail["type"] == "rule":
            for found in detail["ctx"]["findings"]:
                if found.path[0] not in without:
                    yield _place(entry, found.path, found.message, on_name=found.on_name)
        elif not without:
            kind = detail["type"]
            missing, unknown = kind == "missing", kind == "extra_forbidden"
            yield _place(entry, detail["loc"], _sentence(detail), missing=missing, on_name=unknown)


def _place(
    entry: _Entry, steps: Sequence[str | int], message: str, *, missing: bool = False, on_name: bool = False
) -> Problem:
    """The problem at the innermost of the steps that is written in the file."""
    document = entry.document
    written = list(steps)
    # Pydantic marks a key that is wrong itself so.
    key = written[-1:] == ["[key]"]
    if key:
        written.pop()
    while written and (*entry.path, *written) not in document.values:
        written.pop()
    path = (*entry.path, *written)
    place = document.names.get(path) if key or on_name else None
    shown = [*written, *([steps[-1]] if missing else [])]
    return _at(
        place or document.values[path],
        message,
        rule=entry.name,
        field=".".join(map(str, shown or steps[:1])),
    )


def _at(place: Place, message: str, *, rule: str = "", field: str = "") -> Problem:
    return Problem(place.source, place.line, place.column, message, rule, field)


def _sentence(detail: Any) -> str:
    kind, message = detail["type"], str(detail["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        return f"there is no such field{nearest(name, _fields_at(detail['loc']))}"
    if kind == "string_type" and isinstance(detail["input"], bool | int | float):
        return f"must be text, and {_as_yaml(detail['input'])} is none: put it in quotes"
    if kind == "literal_error":
        expected = str(detail["ctx"]["expected"]).replace("'", "")
        return f"must be {expected}{nearest(str(detail['input']), ('info', 'warning', 'critical', 'none'))}"
    if kind == "string_pattern_mismatch":
        return "must begin with a lower-case letter and have only a-z, 0-9 and _, 64 at the most"
    return message[0].lower() + message[1:]


def _as_yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields_at(steps: Sequence[str | int]) -> Collection[str]:
    if len(steps) == 1:
        return FIELDS
    models: dict[str, tuple[type[BaseModel], ...]] = {
        "severity": (Severities,),
        "runbook": (Runbook, Grade, Text),
        "inhibited_by": (Inhibitor,),
    }
    return [name for model in models.get(str(steps[0]), (Text,)) for name in model.model_fields]
