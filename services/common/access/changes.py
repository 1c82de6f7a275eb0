"""What a change changed, for the activity log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

MOST_BYTES: Final = 64 << 10
"""Of JSON; beyond it only the names of what changed are kept."""


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """By dotted name, what was there before and what is there now; null where there was or is nothing."""
    earlier, later = _flat(before), _flat(after)
    found = {
        name: {"from": earlier.get(name), "to": later.get(name)}
        for name in sorted(earlier.keys() | later.keys())
        if earlier.get(name) != later.get(name)
    }
    if len(json.dumps(found, ensure_ascii=False, default=str)) > MOST_BYTES:
        return {"names": sorted({name.split(".")[0] for name in found}), "values": len(found)}
    return found


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
