"""What is asked for: an incident's kind, when it begins, how long it lasts, and its options."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.common.errors import ConfigurationError
from services.simulator.incidents.registry import KINDS

_FORM = "TYPE@OFFSET[:SECONDS][:key=value]..., e.g. spike@60:30:channel=live:factor=8"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: type, seconds after the live part began, how long, how often again (0 is never)."""

    type: str
    offset: int
    seconds: int
    options: dict[str, str] = field(default_factory=dict)
    every: int = 0

    def overlaps(self, other: Incident, apart: int = 0) -> bool:
        """Whether less than so many seconds lie between the two."""
        return self.offset < other.offset + other.seconds + apart and other.offset < self.offset + self.seconds + apart


def parse_incident(text: str) -> Incident:
    """Reads `TYPE@OFFSET[:SECONDS][:key=value]...`. Raises `ConfigurationError` that says what is wrong."""
    name, at, rest = text.partition("@")
    kind = KINDS.get(name)
    if kind is None or not at:
        raise ConfigurationError(f"incident {text!r}: write {_FORM}; types are {', '.join(KINDS)}")
    offset, *parts = rest.split(":")
    seconds = str(kind.seconds)
    if parts and "=" not in parts[0]:
        seconds = parts.pop(0)
    if not offset.isdecimal() or not seconds.isdecimal() or int(seconds) < 1:
        raise ConfigurationError(f"incident {text!r}: offset and duration are whole seconds; write {_FORM}")
    options = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key not in kind.options or not value:
            known = ", ".join(sorted(kind.options)) or "none"
            raise ConfigurationError(f"incident {text!r}: {part!r} is no option of {name}; it knows {known}")
        options[key] = value
    if "by" in options and options["by"] not in kind.by:
        raise ConfigurationError(f"incident {text!r}: by is one of {', '.join(kind.by)}")
    try:
        sane = float(options.get("factor", "2")) > 1
        sane &= int(options.get("count", "1")) > 0
        sane &= 0 < float(options.get("share", "1")) <= 1
    except ValueError:
        sane = False
    if not sane:
        raise ConfigurationError(
            f"incident {text!r}: factor is a number above 1, count one above 0, share one above 0 and at most 1"
        )
    return Incident(name, int(offset), int(seconds), options)


def demo_incidents() -> list[Incident]:
    """One of each within the first four minutes, and again every five minutes."""
    times = [("spike", 45, 25), ("stock_out", 80, 40), ("refund_burst", 130, 40), ("silence", 200, 25)]
    return [Incident(name, offset, seconds, every=300) for name, offset, seconds in times]
