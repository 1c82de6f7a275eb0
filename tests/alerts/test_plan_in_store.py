"""The plan through the real queries: targets against the baseline's course, and budgets, from what the store holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.alerts.service import AlertsService
from services.common.clock import to_datetime
from services.common.settings import Settings
from services.common.store import Store
from tests.alerts.shop import Shop
from tests.support.rows import insert_rows, money

RULES = """
rules:
  - {name: behind, detector: pace, severity: info, summary: "{percent} {expected_from}", runbook: r,
     parameters: {metric: orders_paid}}
  - {name: burnt, detector: burn, severity: info, summary: "{percent}", runbook: r}
  - {name: less, detector: baseline, metric: paid_gmv, window: 10m, condition: "< 0.5", severity: info,
     summary: "{percent}", runbook: r}
"""


def declare(shop: Shop, start: int, end: int, **more: object) -> None:
    body = {
        "name": "declared",
        "start": to_datetime(start).isoformat(),
        "end": to_datetime(end).isoformat(),
        **more,
    }
    shop.store.command(
        "INSERT INTO campaigns VALUES ({id:String}, 1, {body:String}, now64(3))",
        {"id": shop.campaign, "body": json.dumps(body)},
    )


def spend(shop: Shop, channel: str, at: int, cents: int) -> dict[str, Any]:
    row = shop.common("ad_spend", at / 1000, shop.now)
    row.pop("user_id")
    return row | {"channel": channel, "cost": money(cents), "currency": "CNY", "impressions": 0, "clicks": 0}


async def test_targets_and_budgets_are_read_from_the_store(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    before, shop = Shop(store, {"app": 4.0}, seed=2, items=1), Shop(store, {"app": 1.0}, items=1)
    minute = shop.now // 60_000 * 60_000
    before.now = shop.now - 7 * 86_400_000
    before.write_history()
    start, end = minute - 3_600_000, minute + 600_000
    week = 7 * 86_400_000
    declare(before, start - week, end - week)
    declare(
        shop,
        start,
        end,
        baseline_campaign_id=before.campaign,
        targets={"total": {"orders_paid": 1_000_000}},
        budgets={"app": "100.00", "web": "100.00"},
    )
    shop.write_history()
    ads = [spend(shop, "app", start + n * 60_000, 200) for n in range(55)]
    insert_rows(store, "spend_events", [*ads, spend(shop, "web", start + 60_000, 9_000)])
    service = AlertsService(Settings(rules_file=path), store, clock=shop.clock)
    await service.restore()
    told = {}
    for _ in range(12):
        shop.tick()
        for transition in await service.look():
            if transition.alert.campaign_id == shop.campaign:
                told[transition.alert.rule, transition.alert.labels.get("channel", "")] = transition.alert
    # A quarter of the baseline's orders; 110 spent of 100 in the app, and 90 on the web, of which nothing is burnt now.
    assert told.keys() == {("burnt", "app"), ("less", ""), ("behind", "")}
    assert told["burnt", "app"].summary == "110"
    assert told["behind", ""].summary == "0 baseline"
    assert 0.1 < told["less", ""].value < 0.45
