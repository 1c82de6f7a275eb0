"""The campaign that the API is told of: phases, and targets and budgets that a normal day attains."""

from __future__ import annotations

from typing import Any

from services.simulator.day.programme import MINUTE_MS, Programme
from services.simulator.festival import Expectation, rfc3339
from services.simulator.timeline import Campaign, money
from services.simulator.world import CHANNELS, CLICKS_PER_VISIT, COST_PER_CLICK_CENTS

CLICK_PRICE = 3.0
"""Times the usual cost of a click: channels sell for five to sixty times what they cost."""

ATTAINABLE = 0.8
"""Targets lie below what is planned, so that a festival without an incident is on course all along."""
_SLACK = 1.4
_TITLES = {"opening": "Opening", "flash": "Flash sale", "live": "Live stream"}
_TARGET_LEAST_MS = 60 * MINUTE_MS


def day_campaign(
    campaign_id: str, name: str, programme: Programme, expected: Expectation, baseline_campaign_id: str | None
) -> Campaign:
    """The campaign as the API takes it.

    Phases of an hour and more have targets. A day as planned is ahead of each target by a fifth, at every moment
    and against an even pace, once twenty minutes of it have passed; and no budget is ever burnt faster than evenly.
    """

    def target(start_ms: int, end_ms: int) -> dict[str, Any]:
        share = ATTAINABLE * programme.least_lead(start_ms, end_ms)
        seconds = programme.weight(start_ms, end_ms)
        orders = expected.orders_per_second * seconds * share
        return {
            "gmv": money(round(orders * expected.order_cents) // 10_000 * 10_000),
            "orders_paid": round(orders * 0.9),
            "uv": round(expected.visits_per_second * seconds * share * 0.4),
        }

    return Campaign(
        campaign_id,
        {
            "name": name,
            "start": rfc3339(programme.start_ms),
            "end": rfc3339(programme.end_ms),
            "timezone": "Asia/Shanghai",
            "gross_margin": "0.35",
            "phases": [
                {"name": phase.name, "start": rfc3339(phase.start_ms), "end": rfc3339(phase.end_ms)}
                for phase in programme.phases
            ],
            "targets": {
                "total": target(programme.start_ms, programme.end_ms),
                "phases": {
                    phase.name: target(phase.start_ms, phase.end_ms)
                    for phase in programme.phases
                    if phase.end_ms - phase.start_ms >= _TARGET_LEAST_MS
                },
            },
            "budgets": _budgets(programme, expected),
            "baseline_campaign_id": baseline_campaign_id,
            "calendar": [
                {"name": _title(sale.name), "start": rfc3339(sale.start_ms), "end": rfc3339(sale.end_ms)}
                for sale in programme.sales
            ],
            "note": "全部数据均为模拟生成。All data are simulated by `warroom simulate`.",
        },
    )


def _title(sale: str) -> str:
    kind, _, number = sale.partition("_")
    return f"{_TITLES[kind]} {number}".rstrip()


def _budgets(programme: Programme, expected: Expectation) -> dict[str, str]:
    # Marketing pays for the usual visits; what a sale brings on top comes by itself.
    minutes = [programme.planned(at) for at in range(programme.start_ms, programme.end_ms, MINUTE_MS)]
    spent, most = 0.0, 0.0
    for number, level in enumerate(minutes, 1):
        spent += level
        most = max(most, spent / number) if number >= 20 else most
    seconds = (programme.end_ms - programme.start_ms) / 1000 * max(most, spent / len(minutes))
    return {
        channel: money(
            round(
                seconds
                * expected.visits_per_second
                * share
                * CLICKS_PER_VISIT[channel]
                * COST_PER_CLICK_CENTS[channel]
                * CLICK_PRICE
                * _SLACK
            )
        )
        for channel, share in CHANNELS.items()
    }
