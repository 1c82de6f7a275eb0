"""Makes a page of an alert: what, where, since when, how bad, complete until when, and what to do."""

from __future__ import annotations

import math
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from services.alerts.alert import Alert, Transition
from services.alerts.lifecycle import State
from services.alerts.pages.page import Language, Link, Page
from services.alerts.pages.points import points_of, sparkline
from services.alerts.pages.words import rule_name, unit_name, word
from services.common.clock import to_datetime

_AROUND_MS = 30 * 60_000
_SHOWN = 6
_PIPELINE = "*"


def compose(transition: Transition, external_url: str, language: Language) -> Page:
    """The page about a transition, in one language. `external_url` is how people reach this Warroom."""
    alert = transition.alert
    state = "escalated" if transition.notice == "escalated" else alert.state.value
    return Page(
        title=f"{rule_name(alert.rule, language)} · {_where(alert, language)}",
        standing=f"{word(alert.severity, language)} · {word(state, language)}",
        summary=_text(alert, "summary", language) or alert.summary,
        facts=tuple(_facts(alert, language)),
        curve=sparkline(points_of(alert.evidence)),
        points=tuple(_points(alert, language)),
        runbook=_text(alert, "runbook", language) or alert.runbook,
        links=tuple(_links(alert, external_url.rstrip("/"), language)),
    )


def as_text(page: Page) -> str:
    """The page as plain text, a fact a line."""
    lines = [f"[{page.standing}] {page.title}", "", page.summary, ""]
    lines += [f"{name}: {value}" for name, value in page.facts]
    if page.curve:
        lines += ["", page.curve]
    if page.points:
        lines.append("  ".join(f"{name} {value}" for name, value in page.points))
    lines += ["", page.runbook.strip(), ""]
    lines += [f"{link.title}: {link.url}" for link in page.links]
    return "\n".join(lines) + "\n"


def local_time(alert: Alert, at_ms: int, *, with_date: bool = True) -> str:
    """A moment on the campaign's clock, with its offset where the date is shown."""
    moment = to_datetime(at_ms).astimezone(ZoneInfo(alert.timezone))
    if not with_date:
        return moment.strftime("%H:%M:%S")
    offset = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:]}"


def _where(alert: Alert, language: Language) -> str:
    campaign = word("everything", language) if alert.campaign_id == _PIPELINE else alert.campaign_id
    rest = [value for name, value in sorted(alert.labels.items()) if name != "campaign_id"]
    return " · ".join([campaign, *rest])


def _facts(alert: Alert, language: Language) -> list[tuple[str, str]]:
    campaign = word("everything", language) if alert.campaign_id == _PIPELINE else alert.campaign_id
    facts = [(word("campaign_id", language), campaign)]
    facts += [(word(name, language), value) for name, value in sorted(alert.labels.items()) if name != "campaign_id"]
    if alert.phase and "phase" not in alert.labels:
        facts.append((word("phase", language), alert.phase))
    facts.append((word("since", language), local_time(alert, alert.starts_at)))
    if alert.state is State.RESOLVED and alert.ends_at is not None:
        facts.append((word("until", language), local_time(alert, alert.ends_at)))
    unit = alert.evidence.get("unit")
    unit = f" {unit_name(unit, language)}" if isinstance(unit, str) else ""
    bound = f"({word('limit', language)} {number(alert.threshold)})"
    facts.append((word("value", language), f"{number(alert.value)}{unit} {bound}"))
    if alert.impact is not None:
        basis = (language == "zh" and alert.impact.basis_zh) or alert.impact.basis
        loss = f"{alert.impact.loss_per_minute:,.2f} {word('a_minute', language)} ({basis})"
        facts.append((word("loss", language), loss))
    facts.append((word("complete", language), local_time(alert, alert.complete_until)))
    if alert.owner:
        facts.append((word("owner", language), alert.owner))
    if alert.incident and alert.incident != alert.id:
        facts.append((word("cause", language), alert.incident))
    return facts


def _points(alert: Alert, language: Language) -> list[tuple[str, str]]:
    """The last points of the curve; where there is none, the plain numbers of the evidence."""
    points = points_of(alert.evidence)
    if points:
        return [(local_time(alert, at * 1000, with_date=False), number(value)) for at, value in points[-_SHOWN:]]
    plain = [
        (name, number(value) if isinstance(value, int | float) else value)
        for name, value in alert.evidence.items()
        if isinstance(value, int | float | str) and not isinstance(value, bool) and name != "unit"
    ]
    return plain[:_SHOWN]


def _links(alert: Alert, external_url: str, language: Language) -> list[Link]:
    links = []
    if alert.campaign_id != _PIPELINE:
        end = alert.starts_at + _AROUND_MS if alert.ends_at is None else alert.ends_at + _AROUND_MS
        view = {
            "campaign": alert.campaign_id,
            "from": _moment(alert.starts_at - _AROUND_MS),
            "to": _moment(end),
            "at": _moment(alert.starts_at),
            "alert": alert.id,
            "lang": language,
        }
        # What the alert is about narrows the view; labels that are no dimension mean nothing to it.
        view |= {name: alert.labels[name] for name in ("channel", "region", "item_id") if name in alert.labels}
        # A broken character in a label must not keep the page from being sent.
        query = urlencode(view, errors="replace")
        links.append(Link(word("war_room", language), f"{external_url}/?{query}"))
    path = f"{external_url}/api/v1/alerts/{quote(alert.id, safe='')}"
    links.append(Link(word("alert", language), path))
    if points_of(alert.evidence):
        links.append(Link(word("picture", language), f"{path}/curve.png"))
    return links


def _text(alert: Alert, name: str, language: Language) -> str:
    return alert.annotations.get(f"{name}_zh" if language == "zh" else name, "")


def _moment(at_ms: int) -> str:
    return to_datetime(at_ms).isoformat(timespec="seconds").replace("+00:00", "Z")


def number(value: float) -> str:
    """A number as people read it: no exponent, no more digits than say something."""
    if not math.isfinite(value) or abs(value) >= 1e15:
        return f"{value:.4g}"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"
