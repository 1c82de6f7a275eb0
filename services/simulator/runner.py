"""Sends a source's events at their time: the past at once, the present as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from services.common.clock import Clock
from services.simulator.arrivals import arrivals
from services.simulator.campaigns import put_campaign
from services.simulator.publisher import Publisher
from services.simulator.source import Source
from services.simulator.timeline import SECOND_MS, Record, Truth

logger = logging.getLogger(__name__)

_CHUNK = 5_000
_BREATH_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a source's events go out.

    `api` is where campaigns are `PUT`, None for nowhere, with `headers` that say who does.
    `live_seconds` is how long the live part lasts, None
    for ever, 0 for the history alone. `ground_truth` is written anew, one incident a line as it begins.
    """

    api: str | None = None
    live_seconds: float | None = None
    ground_truth: Path | None = None
    duplicates: float = 0.0
    disorder_seconds: float = 0.0
    seed: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


async def deliver(
    source: Source,
    publisher: Publisher,
    delivery: Delivery,
    *,
    clock: Clock,
    stop: asyncio.Event,
    on_sent: Callable[[list[Record]], None] = lambda _: None,
) -> int:
    """Sends until `stop` is set or the live part is over; returns how many records were sent.

    An event goes out when its time has come by `clock`, on one absolute schedule: no drift, and after a
    stall just what the stall held up. The live part begins where the history ends, at the first whole
    second that was not generated yet. At most 5,000 records are on their way.

    Raises `BrokerError` or `DeliveryError` when Kafka or the API stay away.
    """
    if delivery.api is not None:
        await put_campaign(delivery.api, source.campaign, stop, delivery.headers)
    history_end = clock()
    coming = arrivals(
        source.records(),
        seed=delivery.seed,
        duplicates=delivery.duplicates,
        disorder_ms=round(delivery.disorder_seconds * SECOND_MS),
        silences=source.incidents.silences,
        delay=source.delay,
    )
    sent = 0
    with contextlib.ExitStack() as stack:
        truth = stack.enter_context(delivery.ground_truth.open("wb")) if delivery.ground_truth else None
        arrival = next(coming, None)
        while not stop.is_set():
            now = clock()
            live_ms = source.incidents.live_ms
            until = _end(live_ms, history_end, delivery.live_seconds)
            chunk: list[Record] = []
            bound = now if until is None else min(now, until - 1)
            while arrival is not None and arrival.at_ms <= bound and len(chunk) < _CHUNK:
                chunk.append(arrival.record)
                arrival = next(coming, None)
            await _announce(source, delivery, truth, stop)
            if chunk:
                await publisher.publish(chunk)
                sent += len(chunk)
                on_sent(chunk)
            elif arrival is None or (until is not None and arrival.at_ms >= until):
                break
            elif live_ms is None:
                source.go_live()
                logger.info("history sent", extra={"records": sent})
            else:
                wait = min(_BREATH_SECONDS, max(0.001, (arrival.at_ms - now) / SECOND_MS))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait)
    return sent


def _end(live_ms: int | None, history_end: int, live_seconds: float | None) -> int | None:
    if live_seconds is None:
        return None
    if not live_seconds:
        return history_end
    return None if live_ms is None else live_ms + round(live_seconds * SECOND_MS)


async def _announce(source: Source, delivery: Delivery, truth: BinaryIO | None, stop: asyncio.Event) -> None:
    notices = source.timeline.notices
    while notices:
        notice = notices.popleft()
        if not isinstance(notice, Truth):
            if delivery.api is not None:
                await put_campaign(delivery.api, notice, stop, delivery.headers)
            continue
        logger.info("incident", extra={"type": notice.type, "labels": notice.labels})
        if truth is not None:
            truth.write(notice.as_json() + b"\n")
            truth.flush()
