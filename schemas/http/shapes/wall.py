"""The snapshot that the stream tells each second."""

from __future__ import annotations

from pydantic import BaseModel

from schemas.http.shapes.alerts import FeedAlert
from schemas.http.shapes.base import ABSENT, MetricFields, Moment, Money, Panel, Told, metric_fields
from schemas.http.shapes.numbers import CampaignRow, FunnelRow, LadderRow, Overview, PacingRow, StockRow


class ChannelRow(MetricFields):
    """A channel."""

    channel: str
    always = metric_fields(("gmv", "paid_gmv", "uv", "buyers", "conversion_rate", "ad_cost", "roas", "roi"))


class RegionRow(MetricFields):
    """A region."""

    region: str
    always = metric_fields(("gmv", "uv"))


class ItemRow(MetricFields):
    """An item of those that sell best; its stock is in `inventory`."""

    item_id: str
    always = metric_fields(("gmv", "orders_paid"))


class PulseRow(BaseModel):
    """A second, null where the filters cannot be carried."""

    time: Moment
    events: int | None
    orders_created: int | None
    orders_paid: int | None
    gmv: Money | None
    paid_gmv: Money | None


class Pulse(BaseModel):
    """The last ten minutes by second; a second without any event has no row."""

    columns: list[str]
    rows: list[PulseRow]


class DayRow(BaseModel):
    """A span of the campaign: `gmv` is null where it is not known yet, `baseline_gmv` where there is no baseline."""

    time: Moment
    gmv: Money | None
    baseline_gmv: Money | None


class Day(Panel[DayRow]):
    """The whole campaign in at most 300 spans."""

    interval: str


class CurrentMinute(MetricFields):
    """What the minute that `at` lies in has come to: the overview ends where it begins."""

    always = metric_fields(("gmv", "paid_gmv", "orders_created", "orders_paid"))


class Lens(BaseModel):
    """What a snapshot is of."""

    filters: dict[str, str | list[str]]
    at: Moment | None


class AlertFeed(BaseModel):
    """Open alerts first, then those that ended last."""

    rows: list[FeedAlert]


class Snapshot(Told):
    """All that the wall shows, of one moment."""

    campaign: CampaignRow
    overview: Overview
    alerts: AlertFeed
    pulse: Pulse
    channels: Panel[ChannelRow]
    regions: Panel[RegionRow]
    items: Panel[ItemRow]
    inventory: Panel[StockRow]
    funnel: Panel[FunnelRow]
    pacing: Panel[PacingRow]
    ladder: Panel[LadderRow]
    day: Day
    current_minute: CurrentMinute = ABSENT
    lens: Lens
