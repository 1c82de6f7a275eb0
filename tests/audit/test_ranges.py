"""The line of recorded ranges, against plain sets of offsets."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.audit.ranges import Finding, Line, NewLife, Overlap, Recorded
from services.audit.report import Check, Problem
from services.audit.scope import spans


def block(start: int, end: int, opened_at: int, incarnation: str = "a") -> Recorded:
    return Recorded(incarnation, opened_at, start, end, end - start, end - start, 0, 0)


def found(blocks: list[Recorded], before: Recorded | None = None) -> list[Finding]:
    line = Line("t[0]")
    if before is not None:
        line.begin(before)
    return list(line.follow(blocks))


ranges = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.sampled_from("ab")), max_size=8).map(
    lambda drawn: [block(start, start + size, 1_000 + number, life) for number, (start, size, life) in enumerate(drawn)]
)


@given(ranges)
def test_gaps_and_overlaps_are_those_of_the_offsets(blocks: list[Recorded]) -> None:
    findings = found(blocks)
    life: str | None = None
    seen: set[int] = set()
    expected: list[tuple[str, int]] = []
    for each in blocks:
        offsets = set(range(each.start, each.end))
        reach = max(seen, default=-1) + 1
        if life is not None and each.start > reach:
            expected.append(("gap", len(set(range(reach, each.start)) - seen)))
        if life is not None and each.incarnation != life:
            expected.append(("new life", each.start))
            seen = set()
        elif life is not None and each.start < reach:
            expected.append(("overlap", len(offsets & set(range(reach)))))
        life = each.incarnation
        seen |= offsets
    told: list[tuple[str, int]] = []
    for finding in findings:
        if isinstance(finding, Problem):
            assert finding.check is Check.RANGES
            told.append(("gap", int(finding.detail.split("the ")[1].split()[0])))
        elif isinstance(finding, Overlap):
            told.append(("overlap", finding.until - finding.block.start))
        else:
            told.append(("new life", finding.block.start))
    assert told == expected


@given(st.lists(st.integers(1, 9), min_size=1, max_size=10), st.data())
def test_an_unbroken_line_is_clean_and_any_block_missing_is_a_gap(sizes: list[int], data: st.DataObject) -> None:
    blocks, at = [], 5
    for number, size in enumerate(sizes):
        blocks.append(block(at, at + size, 1_000 + number))
        at += size
    assert found(blocks) == []
    # However the period is cut.
    cut = data.draw(st.integers(0, len(blocks)))
    line = Line("t[0]")
    assert [*line.follow(blocks[:cut]), *line.follow(blocks[cut:])] == []
    if len(blocks) > 2:
        gone = data.draw(st.integers(1, len(blocks) - 2))
        (problem,) = found(blocks[:gone] + blocks[gone + 1 :])
        assert isinstance(problem, Problem)
        assert f"offsets {blocks[gone].start} to {blocks[gone].end}" in problem.detail
    # Also the first of a period, by what came before it.
    assert found(blocks, before=block(0, 5, 1)) == []
    assert len(found(blocks[1:], before=block(0, 5, 1))) == min(1, len(blocks) - 1)


def test_a_new_life_is_told_and_is_a_gap_only_where_records_were_passed_over() -> None:
    (again,) = found([block(0, 9, 1, "a"), block(0, 4, 2, "b")])
    assert isinstance(again, NewLife)
    assert again.ended == 9
    gap, _ = found([block(0, 9, 1, "a"), block(12, 14, 2, "b")])
    assert isinstance(gap, Problem)
    assert "9 to 12" in gap.detail


def test_counts_that_do_not_add_up() -> None:
    good = Recorded("a", 1, 0, 10, 9, 5, 3, 1)
    assert found([good]) == []
    for wrong in (
        replace(good, rows=6),
        replace(good, refusals=2),
        replace(good, duplicates=0),
        replace(good, records=8),
        # More records than there are offsets.
        replace(good, records=11, rows=7),
    ):
        (problem,) = found([wrong])
        assert isinstance(problem, Problem)
        assert problem.check is Check.COUNTS


def test_the_same_block_twice_and_two_of_one_moment() -> None:
    (twice,) = found([block(0, 9, 1), block(0, 9, 1)])
    assert isinstance(twice, Problem)
    assert "twice" in twice.detail
    (same,) = found([block(0, 9, 1), block(9, 12, 1)])
    assert isinstance(same, Problem)
    assert "same moment" in same.detail


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 20), max_size=20), st.integers(1, 30))
def test_spans_cover_the_period_and_are_small(weights: dict[int, int], most: int) -> None:
    cut = spans(weights, 10, 40, most)
    assert cut[0][0] == 10
    assert cut[-1][1] == 40
    assert all(end == start for (_, end), (start, _) in pairwise(cut))
    for start, end in cut:
        inside = [weight for at, weight in weights.items() if start <= at < end]
        assert len(inside) <= 1 or sum(inside) <= most
