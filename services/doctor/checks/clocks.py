"""Clocks: events that are ahead are refused, leases and watermarks rest on times.

Kafka's protocol has no way to ask a broker for its time without writing a record; NTP has to hold there.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.common.errors import StoreRejected
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

WARN_MS = 2_000
FAIL_MS = 60_000


async def clocks(patient: Patient) -> Sequence[Finding]:
    """ClickHouse's clock against this machine's, and ingest's against ClickHouse's."""
    findings = [skipped("clocks", "a broker does not tell its time; see that NTP runs there")]
    if patient.store is None:
        return [skipped("clocks", "there is no ClickHouse server to compare with"), *findings]
    before = patient.clock()
    theirs = int((await patient.store.query("SELECT toUnixTimestamp64Milli(now64(3)) AS at"))[0]["at"])
    after = patient.clock()
    findings.append(judge_clock("ClickHouse's clock", theirs, before, after))
    try:
        rows = await patient.store.query(
            "SELECT toUnixTimestamp64Milli(max(updated_at)) AS at FROM ingest_progress HAVING count() > 0"
        )
    except StoreRejected:
        return findings
    if rows and int(rows[0]["at"]) > theirs + WARN_MS:
        findings.append(judge_clock("the clock of an ingest process", int(rows[0]["at"]), theirs, theirs))
    return findings


def judge_clock(whose: str, theirs: int, before: int, after: int) -> Finding:
    """All in epoch milliseconds; their time was read somewhere between `before` and `after`, which cannot be told from
    a difference."""
    apart = theirs - after if theirs > after else min(0, theirs - before)
    if abs(apart) <= WARN_MS:
        return ok("clocks", f"{whose} agrees, within {max(after - before, abs(apart))} ms")
    sentence = f"{whose} is {abs(apart) / 1000:.1f} s {'ahead' if apart > 0 else 'behind'}"
    make = fail if abs(apart) > FAIL_MS else warn
    return make("clocks", sentence, "run NTP (chrony, systemd-timesyncd) on both machines")
