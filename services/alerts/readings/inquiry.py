"""Everything that a detector may want to be read of a campaign."""

from __future__ import annotations

from services.alerts.readings.asks import Ask, Curve
from services.alerts.readings.seconds import Seconds
from services.alerts.readings.suspects import BatchSearch, Search

Inquiry = Ask | Curve | Seconds | Search | BatchSearch
