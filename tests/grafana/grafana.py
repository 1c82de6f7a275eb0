"""What Grafana makes of a query before it sends it: values of variables, and the macros of the ClickHouse plugin.

Written after https://grafana.com/docs/grafana/latest/dashboards/variables/ (syntax, global variables) and the plugin's
pages on its query editor and on template variables. What neither of them describes is an error here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

ALL = "$__all"


@dataclass(frozen=True)
class Chosen:
    """The values of a variable: those that are chosen (`$__all` for all), and all that there are.

    `everything` is what All stands for in PromQL; None says that the variable has one value.
    """

    values: Sequence[str]
    options: Sequence[str] = ()
    everything: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether All is chosen."""
        return list(self.values) == [ALL]


@dataclass(frozen=True)
class View:
    """A dashboard as somebody looks at it."""

    start: datetime
    end: datetime
    variables: Mapping[str, Chosen] = field(default_factory=dict)
    step_seconds: int = 15
    scrape_seconds: int = 15


def promql(text: str, view: View) -> str:
    """An expression as the Prometheus data source sends it."""
    rate = max(view.step_seconds + view.scrape_seconds, 4 * view.scrape_seconds)
    seconds = int((view.end - view.start).total_seconds())
    known = {"$__rate_interval": f"{rate}s", "$__interval": f"{view.step_seconds}s", "$__range": f"{seconds}s"}
    for name, value in known.items():
        text = text.replace(name, value)
    return _filled(text, view, _for_prometheus)


def sql(text: str, view: View) -> str:
    """A statement as the ClickHouse data source sends it."""
    text = _conditional(text, view)
    text = _filled(text, view, _for_sql)
    start, end = (f"toDateTime({int(moment.timestamp())})" for moment in (view.start, view.end))
    text = text.replace("$__fromTime", start).replace("$__toTime", end)
    text = text.replace("$__interval_s", str(max(view.step_seconds, 1)))
    text = re.sub(r"\$__timeFilter\(([^()]+)\)", rf"\1 >= {start} AND \1 <= {end}", text)
    text = re.sub(
        r"\$__timeInterval\(([^()]+)\)",
        rf"toStartOfInterval(toDateTime(\1), INTERVAL {max(view.step_seconds, 1)} second)",
        text,
    )
    assert "$" not in text, f"not understood: {text}"
    return text


def _conditional(text: str, view: View) -> str:
    """`$__conditionalAll(condition, $variable)`: the condition, or 1=1 where All is chosen."""
    macro = "$__conditionalAll("
    while (at := text.find(macro)) >= 0:
        inside, end = _arguments(text, at + len(macro))
        condition, variable = inside
        name = variable.strip().removeprefix("$")
        text = text[:at] + ("1=1" if view.variables[name].is_all else condition) + text[end:]
    return text


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call whose bracket is open at `start`, and where it ends."""
    depth, last = 1, start
    found: list[str] = []
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return [*found, text[last:at]], at + 1
        if depth == 1 and text[at] == ",":
            found.append(text[last:at])
            last = at + 1
    raise AssertionError(f"a bracket that is not closed: {text}")


def _filled(text: str, view: View, form: Callable[[Chosen, str], str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, _, wanted = (match.group(1) or match.group(2)).partition(":")
        assert name in view.variables, f"no variable {name}: {text}"
        return form(view.variables[name], wanted)

    return re.sub(r"\$\{(\w+(?::\w+)?)\}|\$((?!__)\w+)", value, text)


def _for_prometheus(chosen: Chosen, wanted: str) -> str:
    """As the data source does: a variable with one value stands in a string, one with several in an expression."""
    assert wanted == "", f"a format that was not looked up: {wanted}"
    if chosen.everything is None:
        (value,) = chosen.values
        return value.replace("\\", "\\\\").replace('"', '\\"')
    if chosen.is_all:
        return chosen.everything
    escaped = [re.sub(r"[\\^$*+?.()|\[\]{}]", r"\\\\\g<0>", value) for value in chosen.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _for_sql(chosen: Chosen, wanted: str) -> str:
    assert wanted == "singlequote", f"unsafe in SQL, or not looked up: {wanted or 'no format'}"
    values = chosen.options if chosen.is_all else chosen.values
    return ",".join("'" + value.replace("'", "\\'") + "'" for value in values)
