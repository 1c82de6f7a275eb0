"""What the texts of query parameters may be, in an OpenAPI document.

The server reads each of them as a text, to refuse a wrong one with a sentence of its own; the document says what is
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from schemas.alerts import AlertState, Severity
from schemas.metrics import DIMENSIONS

_MOMENT: Final = {"format": "date-time"}
_SPAN: Final = {"pattern": "^[1-9][0-9]{0,6}[mhd]$"}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "format": ("json", "csv", "arrow", "parquet"),
    "dimension": tuple(DIMENSIONS),
    "group_by": tuple(DIMENSIONS),
    "state": get_args(AlertState),
    "severity": get_args(Severity),
    "redriven": ("true", "false"),
    "lang": ("en", "zh"),
    "model": ("order", "first_touch", "last_touch"),
    "age": ("1h", "1d", "7d"),
}

TEXTS: Final[Mapping[str, Mapping[str, Any]]] = {
    **{name: {"enum": list(choices)} for name, choices in _CHOICES.items()},
    "from": _MOMENT,
    "to": _MOMENT,
    "at": _MOMENT,
    "day": {"format": "date"},
    "interval": _SPAN,
    "lookback": _SPAN,
    "limit": {"pattern": "^[1-9][0-9]{0,5}$"},
}
"""By the name of the parameter, which is the same in every call. What it forbids is refused, but for the empty
`group_by`, which stands for none; not all that it allows is taken: descriptions say how many rows there may be."""


def narrowed(document: dict[str, Any]) -> dict[str, Any]:
    """The document, changed in place: texts are what is read, and none is `null`, for it is there or it is not."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "path":
                    parameter["schema"] = _narrowed(parameter["name"], parameter["schema"])
    return document


def _narrowed(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    found = dict(schema)
    if len(kinds) == 1:
        del found["anyOf"]
        found = {**kinds[0], **found}
    return {**found, **TEXTS.get(name, {})}
