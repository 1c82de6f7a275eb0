"""Proves a period of arrival: the ledger against itself, the tables against the ledger, the rollups against the events.

Everything here blocks and reads only. What is being written meanwhile is left out, exactly: see `ledger.Ledger` and
`comparison`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from services.audit.comparison import Comparison, Sure
from services.audit.counts import NOTHING, Held, compare_letters, compare_rows, moment_text, unrecorded
from services.audit.ledger import Arrivals, Lane, Ledger
from services.audit.offsets import Offsets, compare_offsets
from services.audit.ranges import Line, NewLife, Overlap, Recorded
from services.audit.repeats import repeats
from services.audit.report import Check, Compared, LaneTotals, Problem, Report
from services.audit.rollups import all_rollups, dimensions_of
from services.audit.scope import EVENT_TABLES, Scope, spans
from services.common.errors import WarroomError
from services.common.store import Store

_MOST_BLOCKS = 200_000
"""So many blocks are held in memory at a time, about."""


class AuditStopped(WarroomError):
    """The audit was told to stop before its end."""


class Audit:
    """One audit. `stopped` is asked between queries and ends it with `AuditStopped` once it is true; `offsets` reads
    what Kafka has committed, where that is to be compared."""

    def __init__(
        self,
        store: Store,
        scope: Scope,
        *,
        now: int,
        stopped: Callable[[], bool] = lambda: False,
        offsets: Callable[[], Offsets] | None = None,
    ) -> None:
        self._offsets = offsets
        self._before = offsets() if offsets is not None else {}
        self._store = store
        self._scope = scope
        self._stopped = stopped
        self._report = Report(scope.start, scope.end, now)
        self._ledger = Ledger(store)
        self._lanes = sorted(lane for lane in self._ledger.heads if scope.covers(lane.topic))
        self._lines = {lane: Line(_name(lane)) for lane in self._lanes}
        self._totals = {lane: LaneTotals(lane.topic, lane.partition) for lane in self._lanes}

    def run(self) -> Report:
        """Returns what was found. Raises `StoreError` when the store does not answer."""
        if self._offsets is not None:
            self._kafka(self._offsets())
        for lane in self._lanes:
            if (before := self._ledger.before(lane, self._scope.start)) is not None:
                self._lines[lane].begin(before)
            self._check()
        for start, end in spans(self._ledger.hours(self._scope), self._scope.start, self._scope.end, _MOST_BLOCKS):
            self._blocks(start, end)
        for kind in EVENT_TABLES:
            self._check()
            mine = [lane for lane in self._lanes if lane.kind == kind]
            if mine or not self._scope.topics:
                self._report.add(repeats(self._store, self._scope, kind, mine))
        if self._scope.rollups:
            self._rollups()
        self._report.lanes = [totals for _, totals in sorted(self._totals.items()) if totals.blocks]
        return self._report

    def _kafka(self, after: Offsets) -> None:
        for lane in self._lanes:
            last = self._ledger.before(lane, self._ledger.heads[lane] + 1)
            assert last is not None
            at = (lane.topic, lane.partition)
            self._tell(compare_offsets(_name(lane), last, self._before.get(at), after.get(at)))

    def _tell(self, findings: Iterable[Problem | str]) -> None:
        for finding in findings:
            if isinstance(finding, Problem):
                self._report.add([finding])
            else:
                self._report.note(finding)

    def _check(self) -> None:
        if self._stopped():
            raise AuditStopped("the audit was stopped before its end")

    def _blocks(self, start: int, end: int) -> None:
        self._check()
        blocks = self._ledger.blocks(start, end)
        self._check()
        held = self._ledger.held(start, end)
        letters = self._ledger.letters(start, end)
        for lane in self._lanes:
            self._lane(lane, blocks.get(lane, []), held, letters)
        self._others(blocks, held, letters)

    def _lane(self, lane: Lane, blocks: list[Recorded], held: Arrivals, letters: Arrivals) -> None:
        where, totals = _name(lane), self._totals[lane]
        rows = held.get((lane.kind, lane.partition), {})
        refusals = letters.get((lane.topic, lane.partition), {})
        for finding in self._lines[lane].follow(blocks):
            if isinstance(finding, Problem):
                self._report.add([finding])
            elif isinstance(finding, NewLife):
                self._report.note(
                    f"{where}: the log began a new life at {moment_text(finding.block.opened_at)}; it is read from "
                    f"offset {finding.block.start} on, the one before ended at {finding.ended}"
                )
            else:
                self._overlap(lane, finding)
        for block in blocks:
            self._report.add(compare_rows(where, block, rows.get(block.opened_at, NOTHING)))
            self._report.add(compare_letters(where, block, refusals.get(block.opened_at, NOTHING)))
            totals.blocks += 1
            totals.records += block.records
            totals.rows += block.rows
            totals.refusals += block.refusals
            totals.duplicates += block.duplicates
            totals.start = block.start if totals.start is None else totals.start
            totals.end = block.end

    def _overlap(self, lane: Lane, overlap: Overlap) -> None:
        block = overlap.block
        self._check()
        again = self._ledger.brought_again(lane, block, overlap.until)
        text = f"the offsets {block.start} to {overlap.until} were read again at {moment_text(block.opened_at)}"
        if again:
            self._report.add([Problem(Check.OVERLAPS, _name(lane), f"{text} and brought {again} rows a second time")])
        else:
            self._report.note(f"{_name(lane)}: {text}; they brought only duplicates")

    def _others(self, blocks: Mapping[Lane, list[Recorded]], held: Arrivals, letters: Arrivals) -> None:
        """What belongs to no block."""
        known: dict[tuple[str, int], set[int]] = defaultdict(set)
        for lane, recorded in blocks.items():
            arrivals = {block.opened_at for block in recorded}
            known[lane.kind, lane.partition] |= arrivals
            known[lane.topic, lane.partition] |= arrivals
        for (kind, partition), arrived in held.items():
            self._unrecorded("rows", self._lane_of(kind, partition), arrived, known[kind, partition])
        kinds = {lane.topic: lane.kind for lane in self._ledger.heads}
        for (topic, partition), arrived in letters.items():
            lane = Lane(topic, partition, kinds.get(topic, ""))
            if self._scope.covers(topic):
                self._unrecorded("dead letters", lane, arrived, known[topic, partition])

    def _unrecorded(self, what: str, lane: Lane | None, arrived: Mapping[int, Held], known: set[int]) -> None:
        left = {moment: rows for moment, rows in arrived.items() if moment not in known}
        if lane is None or not left:
            return
        self._tell(unrecorded(_name(lane), what, left, self._ledger.claims(lane, self._scope)))

    def _lane_of(self, kind: str, partition: int) -> Lane | None:
        """The lane that rows of a kind and partition belong to; tables do not name the topic. None when they are not
        to be audited."""
        lanes = [lane for lane in self._lanes if (lane.kind, lane.partition) == (kind, partition)]
        if lanes:
            return max(lanes, key=lambda lane: self._ledger.heads[lane])
        return None if self._scope.topics else Lane(EVENT_TABLES[kind], partition, kind)

    def _rollups(self) -> None:
        heads: dict[str, dict[int, int]] = {kind: {} for kind in EVENT_TABLES}
        for lane, head in self._ledger.heads.items():
            mine = heads[lane.kind]
            mine[lane.partition] = max(head, mine.get(lane.partition, 0))
        begun = min((self._ledger.begun(self._scope) - 1, self._report.at))
        sure = {kind: Sure(mine, begun) for kind, mine in heads.items()}
        for day in self._days():
            found: dict[str, Compared] = {}
            comparison = Comparison(self._store, day, sure, self._scope.campaign)
            for rollup in all_rollups():
                self._check()
                compared, problems = comparison.of(rollup)
                self._report.add(problems)
                sofar = found.get(rollup.table, Compared(rollup.table, day, 0, 0))
                found[rollup.table] = Compared(
                    rollup.table, day, sofar.groups + compared.groups, sofar.differing + compared.differing
                )
            for table, compared in found.items():
                known = dimensions_of(table)
                if known and self._scope.campaign is None:
                    self._report.add(comparison.unknown_dimensions(table, known))
                if compared.groups:
                    self._report.rollups.append(compared)

    def _days(self) -> list[str]:
        """Days of arrival in the period of which there are events or rollups."""
        tables = sorted({rollup.table for rollup in all_rollups()})
        sources = [f"SELECT DISTINCT toDate(arrived_at) AS day FROM {table}" for table in EVENT_TABLES.values()]
        sources += [f"SELECT DISTINCT day FROM {table}" for table in tables]
        rows = self._store.query(
            f"""
            SELECT DISTINCT toString(day) AS name
            FROM ({" UNION ALL ".join(sources)})
            WHERE day >= toDate(fromUnixTimestamp64Milli({{start:Int64}}, 'UTC'))
              AND day <= toDate(fromUnixTimestamp64Milli({{last:Int64}}, 'UTC'))
            ORDER BY name
            """,
            {"start": self._scope.start, "last": self._scope.end - 1},
        )
        return [row["name"] for row in rows]


def audit(
    store: Store,
    scope: Scope,
    *,
    now: int,
    stopped: Callable[[], bool] = lambda: False,
    offsets: Callable[[], Offsets] | None = None,
) -> Report:
    """Audits the scope at the moment `now` (epoch milliseconds). Blocks.

    Raises `StoreError` when the store does not answer, `AuditStopped` when `stopped` says so, and what `offsets` does.
    """
    return Audit(store, scope, now=now, stopped=stopped, offsets=offsets).run()


def _name(lane: Lane) -> str:
    return f"{lane.topic}[{lane.partition}]"
