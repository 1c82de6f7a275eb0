"""How old the numbers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

WARN_MS = 30_000
FAIL_MS = 300_000


async def watermark(patient: Patient) -> Sequence[Finding]:
    """The oldest watermark of the topics' partitions, and what was refused within a day."""
    if patient.store is None:
        return [skipped("watermark", "there is no ClickHouse server to ask")]
    topics = list(patient.settings.topics.values())
    rows = await patient.store.query(
        """
        SELECT topic, toUnixTimestamp64Milli(min(told)) AS watermark
        FROM
        (
            SELECT topic, kafka_partition, argMax(watermark, updated_at) AS told
            FROM ingest_progress
            WHERE topic IN {topics:Array(String)}
            GROUP BY topic, kafka_partition
        )
        GROUP BY topic
        """,
        {"topics": topics},
    )
    letters = await patient.store.query(
        "SELECT count() AS letters FROM dead_letters "
        "WHERE arrived_at > now64(3) - INTERVAL 1 DAY AND topic IN {topics:Array(String)}",
        {"topics": topics},
    )
    marks = {str(row["topic"]): int(row["watermark"]) for row in rows}
    return [judge_watermark(marks, patient.clock()), judge_letters(int(letters[0]["letters"]))]


def judge_watermark(marks: Mapping[str, int], now: int) -> Finding:
    """By topic, in epoch milliseconds."""
    if not marks:
        return warn("watermark", "ingest has never written how far it has come", "start `warroom ingest`")
    topic = min(marks, key=lambda each: marks[each])
    age = now - marks[topic]
    if age <= WARN_MS:
        return ok("watermark", f"the numbers are at most {max(age, 0) / 1000:.0f} s old")
    make = fail if age > FAIL_MS else warn
    return make("watermark", f"the numbers of {topic} are {age / 1000:.0f} s old", "docs/operations.md, Lag")


def judge_letters(count: int) -> Finding:
    """Records refused within a day."""
    if not count:
        return ok("dead letters", "none within a day")
    return warn(
        "dead letters",
        f"{count} records were refused within a day",
        "`warroom dead-letters list` says why; docs/operations.md, Refusals",
    )
