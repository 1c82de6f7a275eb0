"""Tells the API of a campaign."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import httpx

from services.common.errors import DeliveryError
from services.simulator.patience import attempts
from services.simulator.timeline import Campaign

logger = logging.getLogger(__name__)

_WAIT_SECONDS = 90.0
_HINT = "; --no-campaign goes on without"


async def put_campaign(
    api: str, campaign: Campaign, stop: asyncio.Event, headers: Mapping[str, str] | None = None
) -> None:
    """`PUT`s the campaign, with what says who asks in `headers`, up to a minute and a half while the API is not up.

    Raises `DeliveryError` when it refuses the campaign or never answers.
    """
    url = f"{api.rstrip('/')}/api/v1/campaigns/{campaign.campaign_id}"
    async with httpx.AsyncClient(timeout=10.0, trust_env=False, headers=headers) as client:
        async for last in attempts(_WAIT_SECONDS, stop):
            try:
                response = await client.put(url, json=campaign.body)
            except (httpx.TransportError, OSError) as error:
                if last:
                    raise DeliveryError(f"no answer from {url}: {error}{_HINT}") from error
                continue
            if response.is_success:
                logger.info("campaign known to the API", extra={"campaign_id": campaign.campaign_id})
                return
            if response.status_code < 500 or last:
                raise DeliveryError(f"{url} answered {response.status_code}: {response.text[:500]}{_HINT}")
