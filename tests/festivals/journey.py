"""A grocer's real campaign as the replay plays it, faster."""

from __future__ import annotations

import json
from itertools import takewhile

from services.simulator.completejourney.data import load_campaign
from services.simulator.completejourney.replay import completejourney
from tests.festivals.script import Event, Festival, moment

CAMPAIGN = 9
"""176 households in 33 days."""

NOW = moment("2026-09-21T14:20:35+08:00")
_PLAYED_SECONDS = 2_700


def journey(seed: int) -> Festival:
    """The whole campaign within three quarters of an hour, as it stands some minutes before its end."""
    data = load_campaign(CAMPAIGN)
    speed = (data.end_ms - data.start_ms) / 1000 / (_PLAYED_SECONDS + 300)
    source = completejourney(
        data, now_ms=NOW, seed=seed, speed=speed, backfill_seconds=_PLAYED_SECONDS, visits_per_second=2.0, loop=False
    )
    source.go_live()
    body = dict(source.revised().body) if source.revised else dict(source.campaign.body)
    events = []
    for record in takewhile(lambda record: record.time_ms < NOW, source.records()):
        fields = json.loads(record.value)
        events.append(
            Event(
                record.kind,
                record.time_ms,
                {name: fields[name] for name in fields if name not in ("event_id", "event_time", "campaign_id")},
            )
        )
    return Festival(source.campaign.campaign_id, body, events, NOW)
