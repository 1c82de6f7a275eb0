"""One campaign a run of the demo: runs of an old directory must not count into each other."""

from __future__ import annotations

from typing import Any

import httpx

from schemas.campaigns import Campaign
from services.common.clock import to_datetime

PREFIX = "completejourney-18"


async def begin_run(client: httpx.AsyncClient, now_ms: int) -> str:
    """Ends the campaigns of earlier runs now, so that nobody waits for their events, and returns a new one's id.

    Raises `httpx.HTTPError` when the API does not do it.
    """
    answer = await client.get("/api/v1/campaigns")
    answer.raise_for_status()
    earlier = [row for row in answer.json()["rows"] if row["id"] == PREFIX or row["id"].startswith(f"{PREFIX}-")]
    now = to_datetime(now_ms)
    for row in earlier:
        body = campaign_body(row)
        if row["declared"] and body["start"] < now < body["end"]:
            ended = Campaign(**{**body, "end": now})
            put = await client.put(f"/api/v1/campaigns/{row['id']}", json=ended.model_dump(mode="json"))
            put.raise_for_status()
    return f"{PREFIX}-{len(earlier) + 1}" if earlier else PREFIX


def campaign_body(row: dict[str, Any]) -> dict[str, Any]:
    """What was `PUT`, of a row of the list of campaigns."""
    known = {name: value for name, value in row.items() if name in Campaign.model_fields}
    return Campaign.model_validate(known).model_dump()
