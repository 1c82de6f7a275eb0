"""What a page says, and that it says it whatever the evidence looks like."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.alerts import detectors
from services.alerts.alert import Alert, Impact, Transition
from services.alerts.lifecycle import Life, State
from services.alerts.pages import LANGUAGES, as_text, compose
from services.alerts.pages.picture import picture
from services.alerts.pages.points import points_of, sparkline
from services.alerts.pages.words import unit_name
from tests.architecture.sources import ROOT

AT = 1_762_790_426_000
URL = "https://warroom.example/"

ALERT = Alert(
    id="19a7b0c1f00a",
    rule="traffic_spike",
    severity="critical",
    campaign_id="double-11",
    labels={"campaign_id": "double-11", "channel": "live"},
    fingerprint="f",
    life=Life(State.FIRING, AT, fired_at=AT + 2000),
    value=81.5,
    threshold=40,
    summary="Traffic on live is 8.2 times normal",
    runbook="1. Look.",
    starts_at=AT,
    complete_until=AT + 1500,
    evidence={"unit": "events per second", "normal_rate": 10, "points": [[AT // 1000 + i, 10 + i] for i in range(30)]},
    owner="growth-oncall",
    phase="burst",
    annotations={"summary": "Traffic on live is 8.2 times normal", "summary_zh": "直播渠道流量是平时的 8.2 倍"},
    impact=Impact(Decimal("1234.50"), "what it sold before", "此前的销售额"),
    incident="19a7b0c1f00a",
    timezone="Asia/Shanghai",
)


def test_a_page_says_what_where_since_when_how_bad_and_what_to_do() -> None:
    """Catches: a fact that is left out, a time in another zone than the campaign's, a link to another moment."""
    page = compose(Transition(ALERT, AT, notice="firing"), URL, "zh")
    assert (page.title, page.standing) == ("流量突增 · double-11 · live", "严重 · 触发中")
    assert page.summary == "直播渠道流量是平时的 8.2 倍"
    facts = dict(page.facts)
    assert facts["开始于"] == "2025-11-11 00:00:26 +08:00"
    assert facts["数据完整至"] == "2025-11-11 00:00:27 +08:00"
    assert facts["当前值"] == "81.50 事件/秒 (界限 40)"
    assert facts["预估损失"] == "1,234.50 每分钟 (此前的销售额)"
    assert facts["负责人"] == "growth-oncall"
    assert page.points[-1] == ("00:00:55", "39")
    assert page.runbook == "1. Look."
    urls = [link.url for link in page.links]
    assert urls[0].startswith("https://warroom.example/?campaign=double-11&from=2025-11-10T15%3A30%3A26Z")
    assert "channel=live" in urls[0]
    assert urls[1:] == [
        "https://warroom.example/api/v1/alerts/19a7b0c1f00a",
        "https://warroom.example/api/v1/alerts/19a7b0c1f00a/curve.png",
    ]
    english = as_text(compose(Transition(ALERT, AT, notice="escalated"), URL, "en"))
    assert "81.50 events per second" in english
    assert "(what it sold before)" in english
    assert "not acknowledged" in english.splitlines()[0]
    assert "▃" in english
    assert "█" in english


_TOLD = re.compile(r'"unit": f?"([^"{}]*)"|_UNITS = \{(.*)\}|scene\.now, "([a-z ]+)"\)')


def test_an_estimate_of_before_it_had_two_languages_is_told_in_the_one_it_has() -> None:
    old = replace(ALERT, impact=Impact(Decimal("1234.50"), "what it sold before", ""))
    facts = dict(compose(Transition(old, AT, notice="firing"), URL, "zh").facts)
    assert facts["预估损失"] == "1,234.50 每分钟 (what it sold before)"


def test_whoever_is_paged_or_looks_in_chinese_reads_no_english_unit() -> None:
    """Catches: a detector that counts in something new. A metric that a rule names is called by its name."""
    sources = [path.read_text() for path in Path(detectors.__file__).parent.glob("*.py")]
    found = {
        unit
        for source in sources
        for plain, table, searched in _TOLD.findall(source)
        for unit in [plain, searched, *re.findall(r': "([^"]+)"', table)]
        if unit
    }
    assert {"events per second", "coupons redeemed", "refunds", "pieces"} <= found
    assert {unit for unit in found if unit_name(unit, "zh").isascii()} == set()
    shown = (ROOT / "services" / "metrics" / "web" / "src" / "words" / "acting.ts").read_text(encoding="utf-8")
    assert {unit for unit in found if shown.count(f'"evidence.{unit}":') != len(LANGUAGES)} == set()
    assert unit_name("uv per minute", "zh") == "uv/分钟"
    assert unit_name("paid_gmv as a share of the baseline's", "zh") == "paid_gmv（与基线之比）"
    assert unit_name("events per second", "en") == "events per second"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
EVIDENCE = st.dictionaries(st.sampled_from(["points", "unit", "normal_rate", "x"]), JSON, max_size=4) | st.builds(
    lambda points: {"points": points}, st.lists(st.tuples(st.integers(0, 2**33), st.floats()).map(list), max_size=90)
)


@given(EVIDENCE, st.floats(allow_nan=False, allow_infinity=False))
def test_any_evidence_makes_a_page(evidence: dict[str, Any], value: float) -> None:
    """Catches: a page that cannot be made, and so is not sent, because a detector said something unforeseen."""
    alert = replace(ALERT, evidence=evidence, value=value)
    assert as_text(compose(Transition(alert, AT, notice="firing"), URL, "en"))
    drawn = picture(alert)
    if drawn is not None:
        assert Image.open(BytesIO(drawn)).size == (1280, 480)


@given(st.lists(st.floats(0, 1e9), max_size=200))
def test_a_sparkline_shows_the_highest(values: list[float]) -> None:
    line = sparkline([(i, value) for i, value in enumerate(values)])
    assert len(line) == min(32, len(values))
    if max(values, default=0) > 0:
        assert "█" in line


def test_seconds_without_a_point_are_zero() -> None:
    assert points_of({"points": [[10, 2], [11, 4], [13, 1], [13, 2]]}) == [(10, 2), (11, 4), (12, 0), (13, 3)]
    # Minutes are no seconds with holes.
    assert points_of({"points": [[60, 2], [120, 4]]}) == [(60, 2), (120, 4)]
