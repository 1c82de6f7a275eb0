"""The token bucket and the cutting of text, by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.delivery.bucket import Bucket, Limit
from services.alerts.delivery.sinks.dingtalk import DingTalk
from services.alerts.delivery.sinks.feishu import Feishu
from services.alerts.delivery.sinks.robot import harmless
from services.alerts.delivery.sinks.slack import escape
from services.alerts.delivery.sinks.wecom import WeCom
from services.alerts.delivery.text import Escape, Size, clean, fit, json_utf8, utf8


@given(
    burst=st.integers(1, 10),
    per_minute=st.integers(1, 120),
    steps=st.lists(st.integers(0, 20_000), min_size=1, max_size=200),
)
def test_no_minute_ever_has_more_than_burst_and_rate(burst: int, per_minute: int, steps: list[int]) -> None:
    now, sent = 0, []
    bucket = Bucket.full(Limit(burst, per_minute), now)
    for step in steps:
        now += step
        while bucket.available(now):
            bucket = bucket.taken(now)
            sent.append(now)
        # Waiting as long as it says is enough.
        assert bucket.available(now + bucket.wait_ms(now)) >= 1
    for start in sent:
        assert sum(start <= at < start + 60_000 for at in sent) <= burst + per_minute


def test_a_clock_that_goes_back_neither_fills_nor_blocks() -> None:
    bucket = Bucket.full(Limit(1, 60), 10_000).taken(10_000)
    assert bucket.available(0) == 0
    assert bucket.available(11_000) == 1


@pytest.mark.parametrize(("sink", "a_minute"), [(DingTalk, 20), (WeCom, 20), (Feishu, 100)])
def test_the_vendors_limits_are_kept(sink: type[DingTalk | WeCom | Feishu], a_minute: int) -> None:
    assert sink.limit.burst + sink.limit.per_minute <= a_minute


def test_feishu_has_no_more_than_five_in_a_second() -> None:
    assert Feishu.limit.burst + Feishu.limit.per_minute / 60 <= 5


@given(
    st.text(), st.integers(0, 60), st.sampled_from([len, utf8, json_utf8]), st.sampled_from([escape, harmless, clean])
)
def test_what_is_cut_fits_and_nothing_is_cut_in_two(text: str, limit: int, size: Size, escaping: Escape) -> None:
    text = clean(text)
    cut = fit(text, limit, size, escaping)
    assert size(cut) <= limit
    whole = escaping(text)
    assert cut == whole if size(whole) <= limit else cut == "" or cut.endswith("…")
    assert any(cut.removesuffix("…") == escaping(text[:n]) for n in range(len(text) + 1))


def test_an_emoji_is_not_taken_apart() -> None:
    family = "👩‍👩‍👧"
    assert [fit(f"a{family}b", limit) for limit in (2, 3, 5, 6, 7)] == ["a…", "a…", "a…", "a…", f"a{family}b"]
