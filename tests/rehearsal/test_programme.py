"""What a rehearsal of one's own incidents may have beside them: a pause of ingest, and a phase that is slow."""

from __future__ import annotations

import pytest

from services.common.errors import ConfigurationError
from services.rehearsal.programme import Plan, Rehearsed
from services.simulator.incidents import parse_incident

# Ten to nine in the evening of the tenth: the burst begins after seventy minutes, and lasts an hour.
START_MS = 1_762_779_000_000
INCIDENTS = [parse_incident("stock_out@4000:60")]


def _plan(lag_at: int | None = None, lag_seconds: int = 120, slow: str = "") -> Plan:
    return Plan(
        start_ms=START_MS,
        hours=2.4167,
        variant="calm",
        incidents=INCIDENTS,
        slow=slow,
        lag_at=lag_at,
        lag_seconds=lag_seconds,
    )


def test_ingest_is_paused_when_it_is_asked_for() -> None:
    """Catches: a pause that only planned incidents have, or one that nobody asked for; a lag without its truth."""
    assert _plan().pause is None
    assert _plan(3600, 0).pause is None
    assert _plan(3600, 90).pause == (START_MS + 3_600_000, START_MS + 3_690_000)
    assert [truth.rule for truth in Rehearsed(_plan(3600)).truths()] == ["ingest_lag"]


def test_a_phase_is_slow_when_it_is_named() -> None:
    """Catches: a slow phase of which the plan knows, for then its target would be lower and nobody behind it."""
    (usual,), (slow,) = Rehearsed(_plan()).festivals, Rehearsed(_plan(slow="burst")).festivals
    assert slow.source.campaign.body == usual.source.campaign.body
    middle = START_MS + 100 * 60_000
    assert slow.programme.intensity(middle) < 0.5 * usual.programme.intensity(middle)
    before = START_MS + 69 * 60_000
    assert slow.programme.intensity(before) == usual.programme.intensity(before)
    with pytest.raises(ConfigurationError, match="no phase 'no_such' can be slow; there are warm_up, burst"):
        Rehearsed(_plan(slow="no_such"))
