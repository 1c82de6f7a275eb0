"""YAML with the place of everything in it: what a person wrote, and where to point when it is wrong.

It is read by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), as editors do: `no` is a word
and not false, `1:30` is no number of seconds, `2026-11-11` is no date. Merge keys (`<<`) are understood all the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from services.alerts.rules.problem import Problem

MOST_BYTES = 1 << 20
MOST_VALUES = 100_000
"""Values after every alias has been written out: a few lines of anchors can stand for billions."""
DEEPEST = 16

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Lines and columns count from 1."""

    source: str
    line: int
    column: int


@dataclass(slots=True)
class Document:
    """Plain data, the place of each value, and for fields of a mapping that of their names."""

    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    names: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # which, PyYAML was built with
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


_NULL, _BOOL, _INT, _FLOAT, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str"))
for _tag, _pattern, _first in (
    (_NULL, r"^(?:~|null|Null|NULL|)$", "~nN"),
    (_BOOL, r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    (_INT, r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        _FLOAT,
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), [*_first, *([""] if _tag == _NULL else [])])


def _integer(text: str) -> int:
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


_READ: dict[str, Callable[[str], Any]] = {
    _TEXT: str,
    _NULL: lambda text: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: _integer,
    _FLOAT: _finite,
}
_LONGEST_NUMBER = 40


def read_yaml(text: str, source: str) -> Document:
    """The document of a text; what is wrong with it as YAML is among its problems, and then it may be incomplete."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return Document(problems=[Problem(source, 1, 1, f"is larger than {MOST_BYTES >> 20} MiB")])
    try:
        if (deep := _too_deep(text)) is not None:
            return Document(problems=[Problem(source, *deep, "is nested too deeply")])
        root = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at, column = (mark.line, mark.column) if mark is not None else (0, 0)
        message = f"is no YAML: {error.problem or error.context}"
        line = text.splitlines()[at : at + 1]
        if line and "\t" in line[0]:
            message += "; indent with spaces, not tabs"
        return Document(problems=[Problem(source, at + 1, column + 1, message)])
    except (yaml.YAMLError, UnicodeError) as error:
        return Document(problems=[Problem(source, 1, 1, f"is no YAML: {error}")])
    builder = _Builder(source)
    if root is not None:
        try:
            builder.document.data = builder.build(root, (), 0)
        except _TooMuch as error:
            builder.document.problems.append(error.problem)
    return builder.document


def _too_deep(text: str) -> tuple[int, int] | None:
    """The line and column where it is nested too deeply, or None.

    Events come one by one, while the composer of libyaml calls itself, and overflows the stack.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                mark = event.start_mark
                return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


class _TooMuch(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


class _Builder:
    def __init__(self, source: str) -> None:
        self._source = source
        self._count = 0
        self.document = Document()

    def build(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self._count += 1
        place = self.document.values[path] = self._place(node)
        if self._count > MOST_VALUES:
            raise _TooMuch(Problem(place.source, place.line, place.column, "holds too many values; repeated anchors?"))
        if depth > DEEPEST:
            raise _TooMuch(Problem(place.source, place.line, place.column, "is nested too deeply"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index), depth + 1) for index, child in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, "a name must be text")
                continue
            name = str(key.value)
            if name == "<<":
                merged = {**dict(self._merged(value, depth)), **merged}
                continue
            if name in data:
                first = self.document.names[(*path, name)]
                self._problem(key, f"{name!r} is there twice; first in line {first.line}")
                continue
            self.document.names[(*path, name)] = self._place(key)
            data[name] = self.build(value, (*path, name), depth + 1)
        for name, (key, value) in merged.items():
            if name not in data:
                self.document.names[(*path, name)] = self._place(key)
                data[name] = self.build(value, (*path, name), depth + 1)
        return data

    def _merged(self, node: yaml.Node, depth: int) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        self._count += 1
        if self._count > MOST_VALUES or depth > DEEPEST:
            place = self._place(node)
            raise _TooMuch(Problem(place.source, place.line, place.column, "is nested too deeply"))
        if isinstance(node, yaml.SequenceNode):
            # The first mapping of a list has the last word.
            for child in reversed(node.value):
                yield from self._merged(child, depth + 1)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == "<<":
                    yield from self._merged(value, depth + 1)
            yield from ((str(key.value), (key, value)) for key, value in node.value if key.value != "<<")
        else:
            self._problem(node, "only a mapping can be merged")

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        read = _READ.get(node.tag)
        if read is None:
            self._problem(node, f"the tag {node.tag} is not understood")
            return text
        if node.tag in (_INT, _FLOAT) and len(text) > _LONGEST_NUMBER:
            self._problem(node, "is too long a number; put it in quotes if it is text")
            return text
        try:
            return read(text)
        except ValueError:
            self._problem(node, f"{text} is no number; put it in quotes if it is text")
            return text

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._source, node.start_mark.line + 1, node.start_mark.column + 1)

    def _problem(self, node: yaml.Node, message: str) -> None:
        place = self._place(node)
        self.document.problems.append(Problem(place.source, place.line, place.column, message))
