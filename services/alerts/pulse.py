"""Rows of the pulse, as series by channel: thousands of rows at each look, so columns are taken whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from services.alerts.series import Counts, Series


@dataclass(slots=True)
class Pulse:
    """A campaign's traffic and paid orders by channel, and in `whole` every event of the pulse, in the same buckets.

    A channel without any has no series.
    """

    whole: Series
    traffic: dict[str, Series] = field(default_factory=dict)
    paid: dict[str, Series] = field(default_factory=dict)


def pulses(table: pa.Table, ids: Collection[str], empty: Callable[[], Series], *, first: int = 0) -> dict[str, Pulse]:
    """The pulse of each campaign of `ids` from rows of campaign, channel, `bucket`, `traffic`, `orders` and `paid`.

    Buckets count from `first` in series that `empty` gives. Rows of one campaign and channel are of different buckets.
    """
    found = {campaign: Pulse(empty()) for campaign in ids}
    places = _integers(table, "bucket") - first
    traffic, orders, paid = (_integers(table, name) for name in ("traffic", "orders", "paid"))
    for campaign, channel, rows in _groups(table):
        pulse, at = found[campaign], places[rows]
        pulse.whole.counts[at] += traffic[rows] + orders[rows]
        for known, counts in ((pulse.traffic, traffic[rows]), (pulse.paid, paid[rows])):
            if counts.any():
                series = known[channel] = empty()
                series.counts[at] = counts
    return found


def _groups(table: pa.Table) -> Iterator[tuple[str, str, Counts]]:
    """Which rows are of one campaign and channel."""
    if not table.num_rows:
        return
    campaigns, channels = (
        table.column(name).cast(pa.string()).combine_chunks().dictionary_encode() for name in ("campaign_id", "channel")
    )
    groups = campaigns.indices.to_numpy() * np.int64(len(channels.dictionary)) + channels.indices.to_numpy()
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        campaign, channel = divmod(int(groups[rows[0]]), len(channels.dictionary))
        yield campaigns.dictionary[campaign].as_py(), channels.dictionary[channel].as_py(), rows


def _integers(table: pa.Table, name: str) -> Counts:
    values: Counts = table.column(name).to_numpy().astype(np.int64)
    return values
