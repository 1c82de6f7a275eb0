"""Which metrics a PromQL expression speaks of, and which there are."""

from __future__ import annotations

import re

from prometheus_client import REGISTRY

from services.common.prometheus import BUSINESS
from tests.grafana.boards import rules

_WORDS = {"and", "or", "unless", "bool", "offset"}
_OF_PROMETHEUS = {"up", "ALERTS"}
_OF_THE_PROCESS = {
    "process_start_time_seconds", "process_open_fds", "process_max_fds", "process_resident_memory_bytes",
    "process_cpu_seconds_total",
}  # fmt: skip


def metrics_of(expression: str) -> set[str]:
    """The names of all series in an expression, by leaving out whatever else there may be."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text)
    names = re.findall(r"(?<![\w:$.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])", text)
    return {name for name in names if name.lower() not in _WORDS}


def declared() -> set[str]:
    """Every series that Prometheus can hold: ours by their declaration, the rules', and a few of others."""
    found = set(_OF_PROMETHEUS | _OF_THE_PROCESS)
    for family in REGISTRY.collect():
        if family.type == "counter":
            found.add(f"{family.name}_total")
        elif family.type == "histogram":
            found |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
        else:
            found.add(family.name)
    return found | set(BUSINESS.families) | {rule["record"] for rule in rules() if "record" in rule}
