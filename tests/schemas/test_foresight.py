"""What is refused without the judge is what the judge refuses, word for word, and a flood of it does not need him."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.decode.foresight import Foresight
from services.common.errors import RefusedEvent
from tests.schemas.strategies import damaged, records
from tests.schemas.verdicts import CURRENCIES, KINDS, NOW_MS, by_reference, encode, example

PAID = ("orders", "coupons", "spend")
SHARED = {kind: Foresight(kind, CURRENCIES) for kind in KINDS}


def foreseen(foresight: Foresight, value: bytes | None) -> tuple[str, str] | None:
    try:
        foresight.check(value, NOW_MS)
    except RefusedEvent as refused:
        return refused.reason, refused.detail
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_the_usual_floods_are_foreseen(kind: str) -> None:
    late = encode(example(kind, event_time="2999-01-01T00:00:00Z"))
    found = foreseen(SHARED[kind], late)
    assert found is not None
    assert found[0] == "event_time_out_of_range"
    assert foreseen(SHARED[kind], encode(example(kind))) is None
    found = foreseen(SHARED[kind], encode(example(kind, currency="XAF")))
    assert (found is not None) == (kind in PAID)


@given(st.data(), st.sampled_from(KINDS))
def test_the_judge_says_the_same(data: st.DataObject, kind: str) -> None:
    sent = data.draw(records(kind) | damaged(kind))
    found = foreseen(SHARED[kind], sent)
    if found is not None:
        verdict = by_reference(kind, sent, NOW_MS)
        assert isinstance(verdict, RefusedEvent)
        assert found == (verdict.reason, verdict.detail)


def test_it_remembers_few_currencies_and_leaves_the_others_to_the_judge() -> None:
    foresight = Foresight("spend", CURRENCIES)
    codes = [f"X{first}{second}" for first in "ABCD" for second in "EFGH"]
    told = [foreseen(foresight, encode(example("spend", currency=code))) for code in codes]
    assert 0 < sum(each is not None for each in told) <= 8
    assert len(foresight._assuming) <= 9
