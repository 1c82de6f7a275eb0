"""How a fault test ends: `warroom audit` over what it did."""

from __future__ import annotations

from services.audit.audit import audit
from services.audit.report import Report, as_text
from services.audit.scope import DAY_MS, Scope
from services.common.clock import wall_clock
from services.common.store import Store

_HOUR_MS = 3_600_000


def assert_clean(store: Store, topics: str, *, campaign: str | None = None) -> Report:
    """Audits what arrived in the last hour in the topics whose names begin so, and the rollups of the campaign (of all
    campaigns without one). Raises `AssertionError` with the whole report when it is not clean, or saw no block at
    all."""
    now = wall_clock()
    report = audit(store, Scope(now - _HOUR_MS, now + 1, DAY_MS, (topics,), campaign), now=now)
    text = as_text(report.to_json())
    assert report.clean, text
    assert report.lanes, f"no block was recorded in {topics}*\n{text}"
    return report
