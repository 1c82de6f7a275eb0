"""How a fault test ends: `warroom audit` over what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.audit.audit import audit
from services.audit.offsets import Offsets
from services.audit.report import Report, as_text
from services.audit.scope import DAY_MS, Scope
from services.common.clock import wall_clock
from services.common.store import Store

_HOUR_MS = 3_600_000


def assert_clean(
    store: Store,
    topics: str,
    *,
    campaign: str | None = None,
    around_ms: int = _HOUR_MS,
    offsets: Callable[[], Offsets] | None = None,
) -> Report:
    """Audits what arrived lately in the topics whose names begin so, and the rollups of the campaign (of all campaigns
    without one). Raises `AssertionError` with the whole report when it is not clean, or saw no block at all."""
    now = wall_clock()
    report = audit(
        store, Scope(now - around_ms, now + around_ms, DAY_MS, (topics,), campaign), now=now, offsets=offsets
    )
    text = as_text(report.to_json())
    assert report.clean, text
    assert report.lanes, f"no block was recorded in {topics}*\n{text}"
    return report


def warroom_audit(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the real `warroom audit` to its end."""
    command = [str(Path(sys.executable).with_name("warroom")), "audit", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WARROOM_")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**clean, **environment}
    )


def ask_for_audit(url: str) -> dict[str, Any]:
    """What `warroom audit --url` says of the last day; the status says the same."""
    done = warroom_audit("--url", url, "--json")
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["clean"] == (done.returncode == 0)
    return report
