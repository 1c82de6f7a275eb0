"""Runs all checks side by side, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from services.common.errors import WarroomError
from services.doctor.finding import Finding, fail
from services.doctor.patient import Patient

Check = Callable[[Patient], Awaitable[Sequence[Finding]]]


async def examine(patient: Patient, checks: Mapping[str, Check]) -> list[Finding]:
    """The findings of every check, in the order of the checks. One that is stuck or breaks is a finding itself."""
    found = await asyncio.gather(*(_within(patient, name, check) for name, check in checks.items()))
    return [finding for findings in found for finding in findings]


async def _within(patient: Patient, name: str, check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(patient.seconds):
            return await check(patient)
    except TimeoutError:
        return [
            fail(
                name,
                f"gave no answer within {patient.seconds:g} s",
                "look at what it asks: is it overloaded, or is there a firewall that swallows packets? "
                "--seconds waits longer",
            )
        ]
    except WarroomError as error:
        return [fail(name, str(error), "mend that, and run the doctor again")]
