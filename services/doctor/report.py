"""Findings for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.doctor.finding import Finding, Verdict, worst


def as_text(findings: Sequence[Finding]) -> str:
    """A line a finding, what to do beneath it, and how many there are of each verdict."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.verdict:<7}  {finding.check}: {finding.sentence}")
        if finding.remedy is not None:
            lines.append(f"         -> {finding.remedy}")
    counts = {verdict: sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
    lines.append(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """The verdict over all, and the findings."""
    rows = [
        {"check": each.check, "verdict": each.verdict, "sentence": each.sentence, "remedy": each.remedy}
        for each in findings
    ]
    return json.dumps({"verdict": worst(findings), "findings": rows}, ensure_ascii=False, indent=2)
