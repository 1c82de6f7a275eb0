"""No answer and no export names anybody, neither by an id nor by what the tables call them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pyarrow import ipc

from services.common.people import DOMAINS, choose_key, hashed
from services.common.runtime import build_app
from services.common.settings import Settings
from services.common.store import Store
from services.metrics.service import MetricsService
from tests.support.rows import insert_rows, money
from tests.support.store import fresh_campaign

START = datetime(2026, 11, 11, tzinfo=UTC)
NOW_MS = 1_794_441_600_000
MARK = "zplanted"
FORMS = ("json", "csv", "arrow")
ASKED = {
    "timeseries": ["metrics=uv,sessions,buyers,new_buyers,gmv&interval=1h"],
    "breakdown": [
        f"dimension={dimension}&metrics=uv,buyers,paid_gmv"
        for dimension in ("channel", "region", "utm_source", "item_id")
    ],
    "funnel": ["", "group_by=channel"],
}
"""What a call needs, or has in several ways; all others are made without."""

ELSEWHERE = ("/stream", "{topic}", "{name}", "/dead-letters", "/activity")
"""Not for whoever may read figures, of something else, or without an end: the stream sends snapshots, which are asked
for as such."""


@pytest.fixture(scope="module")
def campaign(store: Store) -> str:
    """One with people in every column that names any."""
    key = choose_key(store, Settings())
    assert key is not None
    made = fresh_campaign("answers")
    names = {column: hashed(key, column, MARK) for column in DOMAINS}
    common = {
        "campaign_id": made,
        "region": "CN-31",
        "channel": "app",
        "utm_source": "feed",
        "user_id": names["user_id"],
    }
    at = {"event_time": START + timedelta(hours=1)}
    visits = [
        {**common, **at, "event_id": f"{made}-{event}", "event_name": event, "session_id": names["session_id"],
         "page_location": MARK, "item_id": "shoe", "experiment": "button", "variant": "red"}
        for event in ("page_view", "view_item", "add_to_cart", "begin_checkout")
    ]  # fmt: skip
    orders = [
        {**common, **at, "event_id": f"{made}-{event}", "event_name": event, "device_id": names["device_id"],
         "order_id": f"{made}-o", "value": money(900), "customer_type": "new", "reason": MARK}
        for event in ("order_created", "order_paid", "order_refunded")
    ]  # fmt: skip
    coupon = {key: value for key, value in common.items() if key != "utm_source"}
    coupons = [{**coupon, **at, "event_id": f"{made}-c", "event_name": "coupon_claimed", "coupon_id": "c",
                "batch_id": "b", "device_id": names["device_id"]}]  # fmt: skip
    for table, rows in (("traffic_events", visits), ("order_events", orders), ("coupon_events", coupons)):
        insert_rows(store, table, rows)
    return made


async def test_no_answer_in_any_form_names_anybody(store: Store, campaign: str) -> None:
    """Catches: a column that shines through, in a call or a form that a list of calls would have forgotten."""
    key = choose_key(store, Settings())
    assert key is not None
    names = [MARK, *(hashed(key, column, MARK) for column in DOMAINS)]
    app = build_app([MetricsService(Settings(), store, clock=lambda: NOW_MS, background=False)])
    paths: dict[str, Any] = app.openapi()["paths"]
    asked = [path for path, calls in paths.items() if "get" in calls and not any(part in path for part in ELSEWHERE)]
    assert sum("{campaign_id}" in path for path in asked) > 10
    shown = 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://warroom") as client:
        for path in asked:
            forms = (
                FORMS if any(each["name"] == "format" for each in paths[path]["get"].get("parameters", ())) else ("",)
            )
            period = "from=2026-11-11T00:00:00Z&to=2026-11-12T00:00:00Z" if "{campaign_id}" in path else ""
            for query in ASKED.get(path.rpartition("/")[2], [""]):
                for form in forms:
                    call = f"{path.format(campaign_id=campaign)}?{period}&{query}" + (f"&format={form}" if form else "")
                    answer = await client.get(call)
                    if path.endswith(("/overview", "/timeseries", "/breakdown", "/funnel")):
                        assert answer.status_code == 200, f"{call}: {answer.text}"
                        shown += 1
                    told = _told(answer.content, form if answer.is_success else "")
                    assert not [name for name in names if name in told], call
    assert shown > 20


def _told(content: bytes, form: str) -> str:
    """All texts of an answer, packed away or not. Parquet is written from the same table as Arrow."""
    plain = content.decode("latin-1")
    if form == "arrow" and content:
        return plain + str(ipc.open_stream(pa.BufferReader(content)).read_all().to_pylist())
    return plain
