"""What every question over HTTP begins with: which campaign, which period, and how complete the answer can be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query

from schemas.campaigns import CAMPAIGN_ID
from services.common.clock import Clock
from services.common.query.completeness import Completeness, read_completeness
from services.common.query.engine import QueryEngine
from services.common.query.question import Question
from services.common.store import StorePool
from services.metrics.campaigns import CampaignBook, KnownCampaign
from services.metrics.params import PeriodParameters, period_parameters, span_parameters

CampaignId = Annotated[str, Path(pattern=CAMPAIGN_ID, description="1 to 64 of A-Z a-z 0-9 _ . -")]
Period = Annotated[PeriodParameters, Depends(period_parameters)]
Span = Annotated[PeriodParameters, Depends(span_parameters)]
Format = Annotated[str | None, Query(description="json, csv, arrow or parquet; wins over Accept")]


@dataclass(frozen=True, slots=True)
class Asking:
    """What routers need to answer from the store."""

    pool: StorePool
    engine: QueryEngine
    book: CampaignBook
    clock: Clock

    async def about(
        self, campaign_id: str, period: PeriodParameters, group_by: str | None = None
    ) -> tuple[KnownCampaign, Question, Completeness]:
        """The campaign, the question over the period, and how far ingest has come. To be called before any question for
        numbers, so that no more is claimed than they hold. Raises `NotFound`."""
        campaign, completeness = await asyncio.gather(self.book.get(campaign_id), self.completeness())
        return campaign, period.question(campaign, self.clock(), group_by=group_by), completeness

    async def completeness(self) -> Completeness:
        """How far ingest has come; to be read before the events."""
        return await read_completeness(self.pool, self.clock())
