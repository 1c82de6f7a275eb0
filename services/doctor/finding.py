"""What a check has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How well it is; in the order of gravity."""

    OK = "ok"
    SKIPPED = "skipped"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about one thing. `remedy` says what to do, where something is to be done. Neither holds a secret."""

    check: str
    verdict: Verdict
    sentence: str
    remedy: str | None = None


def ok(check: str, sentence: str) -> Finding:
    """All is well with it."""
    return Finding(check, Verdict.OK, sentence)


def skipped(check: str, sentence: str) -> Finding:
    """It was not looked at, and why."""
    return Finding(check, Verdict.SKIPPED, sentence)


def warn(check: str, sentence: str, remedy: str) -> Finding:
    """It works, and may not for long, or not for everybody."""
    return Finding(check, Verdict.WARN, sentence, remedy)


def fail(check: str, sentence: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.FAIL, sentence, remedy)


def worst(findings: Sequence[Finding]) -> Verdict:
    """The gravest verdict; OK where nothing was found."""
    order = list(Verdict)
    return max((finding.verdict for finding in findings), key=order.index, default=Verdict.OK)
