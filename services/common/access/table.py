"""Every call over HTTP and whom it is for. A call that is not here is refused where anybody is asked who they are.

One page, so that one person can check it against what each call tells and does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.routing import compile_path

from services.common.access.roles import Reach, Role

_V, _O, _A = Role.VIEWER, Role.OPERATOR, Role.ADMIN


@dataclass(frozen=True, slots=True)
class Need:
    """What a call needs.

    `action` is what the activity log calls it; empty for what only reads. A `page` sends a browser to sign in, where
    another call is answered with 401. `lasting` answers go on: whoever loses the permission meanwhile loses them.
    """

    reach: Reach
    role: Role = _V
    action: str = ""
    page: bool = False
    lasting: bool = False


_OPEN = Need(Reach.OPEN)
_ANY = Need(Reach.ANY)
_ONE = Need(Reach.ONE)
_HOUSE = Need(Reach.HOUSE)
_PAGE = Need(Reach.ANY, page=True)

TABLE: Final[Mapping[tuple[str, str], Need]] = {
    # Nothing of anybody's.
    ("GET", "/healthz"): _OPEN,
    ("GET", "/readyz"): _OPEN,
    ("GET", "/login"): _OPEN,
    # These write their entries in the log themselves: only they know who it was.
    ("POST", "/login"): _OPEN,
    ("GET", "/login/provider"): _OPEN,
    ("GET", "/login/callback"): _OPEN,
    ("POST", "/logout"): _OPEN,
    ("GET", "/assets/{name}"): _OPEN,
    ("GET", "/favicon.svg"): _OPEN,
    # Pages, and what all who are let in may know.
    ("GET", "/"): _PAGE,
    ("GET", "/rehearsal"): _PAGE,
    ("GET", "/openapi.json"): _ANY,
    ("GET", "/api/v1/session"): _ANY,
    ("GET", "/api/v1/metrics"): _ANY,
    # One campaign.
    ("GET", "/campaigns/{campaign_id}/review"): Need(Reach.ONE, action="export", page=True),
    ("GET", "/api/v1/campaigns/{campaign_id}"): _ONE,
    ("PUT", "/api/v1/campaigns/{campaign_id}"): Need(Reach.ONE, _A, "campaign.put"),
    ("GET", "/api/v1/campaigns/{campaign_id}/overview"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/timeseries"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/breakdown"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/funnel"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/inventory"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/pacing"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/ladder"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/attribution"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/cohorts"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/experiments"): _ONE,
    ("GET", "/api/v1/campaigns/{campaign_id}/stream"): Need(Reach.ONE, lasting=True),
    ("GET", "/api/v1/campaigns/{campaign_id}/snapshot"): _ONE,
    # Several: their routes show what is of the asker's campaigns, and refuse to touch another.
    ("GET", "/api/v1/campaigns"): _ANY,
    ("GET", "/api/v1/alerts"): _ANY,
    ("GET", "/api/v1/alerts/{alert_id}"): _ANY,
    ("GET", "/api/v1/alerts/{alert_id}/page"): _ANY,
    ("GET", "/api/v1/alerts/{alert_id}/curve.png"): _ANY,
    ("POST", "/api/v1/alerts/{alert_id}/ack"): Need(Reach.ANY, _O, "alert.acknowledge"),
    ("GET", "/api/v1/silences"): _ANY,
    ("POST", "/api/v1/silences"): Need(Reach.ANY, _O, "silence.create"),
    ("DELETE", "/api/v1/silences/{silence_id}"): Need(Reach.ANY, _O, "silence.end"),
    ("GET", "/api/v1/rules"): _ANY,
    ("GET", "/api/v1/dead-letters"): _ANY,
    # All of them together.
    ("GET", "/metrics"): _HOUSE,
    ("GET", "/api/v1/rehearsals"): _HOUSE,
    ("GET", "/api/v1/rehearsals/{name}"): _HOUSE,
    ("GET", "/api/v1/audit"): Need(Reach.HOUSE, _O),
    ("POST", "/api/v1/privacy/erase"): Need(Reach.HOUSE, _A, "privacy.erase"),
    ("POST", "/api/v1/privacy/export"): Need(Reach.HOUSE, _A, "privacy.export"),
    # A letter's value is what somebody sent, people's ids among it.
    ("GET", "/api/v1/dead-letters/{topic}/{partition}/{offset}"): Need(Reach.HOUSE, _A, "dead_letter.read"),
    ("POST", "/api/v1/dead-letters/redrive"): Need(Reach.HOUSE, _A, "dead_letter.redrive"),
    ("GET", "/api/v1/activity"): Need(Reach.HOUSE, _A),
}

_COMPILED: list[tuple[str, str, re.Pattern[str]]] = [
    (method, template, compile_path(template)[0]) for method, template in TABLE
]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is known: its row of the table and what its path names."""

    template: str
    need: Need
    names: Mapping[str, Any]


def call_of(method: str, path: str) -> Call | None:
    """The call that a request makes, None for none. `path` is decoded, as the application sees it."""
    method = "GET" if method == "HEAD" else method
    for known, template, pattern in _COMPILED:
        if known == method and (found := pattern.match(path)):
            return Call(template, TABLE[known, template], found.groupdict())
    return None


def methods_of(path: str) -> tuple[str, ...]:
    """What may be done at a path."""
    return tuple(sorted({method for method, _, pattern in _COMPILED if pattern.match(path)}))
