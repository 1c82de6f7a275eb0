"""One alert, and how it is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from services.alerts.lifecycle import Life, State


@dataclass(frozen=True, slots=True)
class Impact:
    """What an incident costs while it lasts, in the reporting currency a minute: an estimate, and what it rests on.

    `basis_zh` says that in Chinese; it is empty for alerts that were recorded before there was one.
    """

    loss_per_minute: Decimal
    basis: str
    basis_zh: str

    def told(self) -> dict[str, str]:
        """As JSON says it."""
        return {"loss_per_minute": str(self.loss_per_minute), "basis": self.basis, "basis_zh": self.basis_zh}


@dataclass(frozen=True, slots=True)
class Alert:
    """One incident of one rule and one set of labels. Times are epoch milliseconds.

    `seq` counts its recorded transitions. `notified`: receivers have been told, or are being told, that it fires.
    `annotations` are the rendered texts: `summary`, `summary_zh`, `runbook`, `runbook_zh` and the rule's own.
    `incident` is the id of the alert that is the cause of this one, or its own id. `mute` says why receivers hear
    nothing of it (see `muting.Mute`); until `quiet_until` it is taken for the aftermath of a cause that has ended.
    `timezone` is the campaign's. `flaps` counts how often it has come back of late; `told_at` is when it was last paged
    or escalated, `escalations` how often.
    """

    id: str
    rule: str
    severity: str
    campaign_id: str
    labels: Mapping[str, str]
    fingerprint: str
    life: Life
    value: float
    threshold: float
    summary: str
    runbook: str
    starts_at: int
    complete_until: int
    evidence: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    notified: bool = False
    owner: str = ""
    phase: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    impact: Impact | None = None
    incident: str = ""
    timezone: str = "UTC"
    mute: str = ""
    quiet_until: int | None = None
    flaps: int = 0
    told_at: int | None = None
    escalations: int = 0

    @property
    def begun_at(self) -> int:
        """When it was first pending; one that has come back since has another `life`."""
        return int(self.id[:12], 16)

    @property
    def state(self) -> State:
        return self.life.state

    @property
    def ends_at(self) -> int | None:
        return self.life.ends_at


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert as it stands after a change, when and by whom, and what receivers are to hear of it.

    `notice` is `firing`, `acknowledged`, `resolved`, `escalated` or empty.
    """

    alert: Alert
    at: int
    actor: str = ""
    note: str = ""
    notice: str = ""


def fingerprint_of(rule: str, labels: Mapping[str, str]) -> str:
    """The same 16 hexadecimal digits for the same rule and labels, whatever their order."""
    return _fingerprint(rule, tuple(sorted(labels.items())))


# A condition that lasts is looked at every second.
@lru_cache(maxsize=100_000)
def _fingerprint(rule: str, labels: tuple[tuple[str, str], ...]) -> str:
    text = json.dumps([rule, labels], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def alert_id(pending_at: int, fingerprint: str) -> str:
    """Unique to an incident: one fingerprint cannot begin twice in a millisecond. Sorts by time."""
    return f"{pending_at:012x}{fingerprint}"
