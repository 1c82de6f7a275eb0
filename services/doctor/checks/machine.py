"""The settings, the files that they name, and what this machine must have."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence

from services.common.transport import cautions
from services.doctor.finding import Finding, fail, ok, warn
from services.doctor.patient import Patient

_ZONE = "Asia/Shanghai"


async def machine(patient: Patient) -> Sequence[Finding]:
    """Settings that are not safe everywhere, and the data of time zones. Settings that are refused end it sooner."""
    return [*judge_cautions(list(cautions(patient.settings, patient.secrets))), judge_zones()]


def judge_cautions(sentences: Sequence[str]) -> list[Finding]:
    """Each caution as what is wrong and what to do."""
    if not sentences:
        return [ok("settings", "they are in order")]
    return [
        warn("settings", what.strip(), (remedy or "look at README.md, Settings").strip())
        for what, _, remedy in (sentence.partition("; ") for sentence in sentences)
    ]


def judge_zones() -> Finding:
    """Campaigns have time zones; without their data none can be shown."""
    try:
        zoneinfo.ZoneInfo(_ZONE)
    except zoneinfo.ZoneInfoNotFoundError:
        return fail("time zones", f"{_ZONE} is not known here", "install the package tzdata")
    return ok("time zones", "their data are there")
