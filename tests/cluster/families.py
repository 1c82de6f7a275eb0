"""Every family of questions, asked of one store: what must come out the same wherever rows lie."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from schemas.metrics import MEASURES, Kind
from services.common.clock import to_ms
from services.common.query.attribution import MODELS, Credit, attribute
from services.common.query.budgets import used_up
from services.common.query.cohorts import BY, ages, cohorts
from services.common.query.engine import QueryEngine
from services.common.query.experiments import experiments
from services.common.query.folds import fold_sql
from services.common.query.funnel import funnel
from services.common.query.ladder import ladder
from services.common.query.pulse import read_pulse
from services.common.query.question import Extent, Question
from services.common.query.stock import stock
from services.common.store import Store, StorePool
from tests.metrics.shop import SPAN_MS, START, START_MS, Event, orders, spend, visits
from tests.support.rows import ARRIVED, insert_rows

ZONE = ZoneInfo("Asia/Shanghai")
Events = dict[str, list[Event]]


def shop_of(seed: int, campaign: str) -> Events:
    """A shop's four hours by table, with more buyers than shards."""
    rng = random.Random(seed)
    return {
        "traffic_events": [
            {"session_id": f"s{event['user_id']}", **event}
            | ({} if rng.randrange(4) else {"event_name": "begin_checkout"})
            for event in visits(rng, campaign, 600, 60)
        ],
        "order_events": orders(rng, campaign, 300, 40),
        "spend_events": spend(rng, campaign, 60),
        "stock_events": [
            {
                "event_id": f"l{n}",
                "event_name": "stock_level",
                "event_time": START + timedelta(seconds=rng.randrange(SPAN_MS // 1000)),
                "campaign_id": campaign,
                "item_id": rng.choice(("shoe", "hat", "scarf")),
                "item_category": "clothes",
                "warehouse_id": rng.choice(("north", "south")),
                "available": rng.randrange(500),
                "safety_stock": rng.choice((-1, 10)),
            }
            for n in range(120)
        ],
    }


def load(store: Store, events: Events) -> None:
    """One block a table."""
    for table, rows in events.items():
        insert_rows(store, table, rows, token=f"{rows[0]['campaign_id']}-{table}" if rows else None)


def fold(store: Store) -> None:
    """Folds all that has arrived up to `ARRIVED` and a little more."""
    start, end = to_ms(ARRIVED) - 60_000, to_ms(ARRIVED) + 60_000
    for kind in (Kind.TRAFFIC, Kind.ORDERS):
        for sql in fold_sql(kind):
            store.command(sql, {"start": start, "end": end})
        moment = pa.timestamp("ms", "UTC")
        row = {"kind": pa.array([kind.value]), "rows": pa.array([0], pa.uint64())}
        row |= {
            name: pa.array([at], moment)
            for name, at in {"start": start, "end": end, "target": end, "folded_at": end}.items()
        }
        store.insert("folds", pa.table(row))


async def answers(store: Store, campaign: str, *, brief: bool = False) -> dict[str, Any]:
    """By name; `brief` asks each family once or twice."""
    pool = StorePool(store, threads=2, name="families")
    engine = QueryEngine(pool)
    extent = Extent(campaign, START_MS, START_MS + SPAN_MS)
    whole = Question(campaign, START_MS - SPAN_MS, START_MS + 2 * SPAN_MS, extent=extent)
    part = Question(campaign, START_MS + 7 * 60_000, START_MS + SPAN_MS - 11 * 60_000)
    hours = tuple(START_MS + n * 3_600_000 for n in range(4))
    now = START_MS + SPAN_MS
    found: dict[str, Any] = {}
    try:
        questions = (
            ("all", whole),
            ("part", part),
            ("by channel", replace(part, group_by="channel")),
            ("by item", replace(part, group_by="item_id")),
            ("crossed", replace(part, group_by="region", filters={"channel": ("app", "web")})),
            ("by hour", replace(part, buckets=hours)),
        )
        for name, question in questions[: 2 if brief else None]:
            found[f"measures {name}"] = await engine.measures(question, MEASURES)
            found[f"funnel {name}"] = await funnel(pool, replace(question, buckets=()), engine.cuts)
        app = replace(part, filters={"channel": ("app",)})
        for name, question in (("whole", whole), ("app", app))[: 1 if brief else None]:
            found[f"experiments {name}"] = await experiments(pool, question)
            found[f"ladder {name}"] = await ladder(pool, question, 3)
            for by in BY[: 1 if brief else None]:
                found[f"cohorts {name} {by}"] = await cohorts(pool, question, by, ZONE)
                found[f"ages {name} {by}"] = await ages(pool, question, by, ZONE, 3_600_000)
        for model in MODELS[-1:] if brief else MODELS:
            credit = Credit(campaign, part.start_ms, part.end_ms, model, "channel", 3_600_000)
            found[f"attribution {model}"] = await attribute(pool, credit, 50)
        found["stock"] = await stock(pool, engine, part, now)
        found["pulse"] = await read_pulse(pool, part, START_MS, now)
        found["budgets"] = await used_up(pool, part, {"app": Decimal(100), "web": Decimal(10**9)})
    finally:
        await pool.close()
    return found


def by_shard(events: Sequence[Event], shard_of: Sequence[int], shards: int) -> list[list[Event]]:
    """The events of each shard, in their order."""
    parts: list[list[Event]] = [[] for _ in range(shards)]
    for event, shard in zip(events, shard_of, strict=True):
        parts[shard].append(event)
    return parts
