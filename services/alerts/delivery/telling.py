"""What a notice says to people, in words, before any vendor's markup. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from schemas.receivers import Mention
from services.alerts.alert import Transition
from services.alerts.delivery.sinks.base import ACKNOWLEDGED, ESCALATED, FIRING, OPENING, RESOLVED, Context
from services.alerts.delivery.text import clean, fit, one_line
from services.alerts.pages import Language as PageLanguage
from services.alerts.pages import Link, compose

_RANK = {"critical": 0, "warning": 1, "info": 2}
_ORDER = (ESCALATED, FIRING, ACKNOWLEDGED, RESOLVED)
_NOTICE = {
    FIRING: ("firing", "触发"),
    ACKNOWLEDGED: ("acknowledged", "已认领"),
    RESOLVED: ("resolved", "已恢复"),
    ESCALATED: ("escalated", "已升级"),
}
_SEVERITY = {"critical": ("critical", "严重"), "warning": ("warning", "警告"), "info": ("info", "提示")}
_WORDS = {
    "alert": ("alert", "告警"),
    "alerts": ("alerts", "告警"),
    "runbook": ("runbook", "预案"),
    "by": ("by", "处理人"),
    "note": ("note", "备注"),
    "open": ("open", "查看"),
}
_MOST_LINKS = 3
_LONGEST_ADDRESS = 600
# What may stand in an address and means nothing to any vendor's markup.
_SAFE = "/:?&=#%+,;.~-_@$!"


@dataclass(frozen=True, slots=True)
class Telling:
    """One message in plain words. `title` is one line; `lines` are in the order in which they matter.

    The links' addresses hold nothing that would end them early.
    """

    title: str
    lines: Sequence[str]
    links: Sequence[Link]
    severity: str
    over: bool


@dataclass(frozen=True, slots=True)
class Called:
    """The people whom a message calls by name."""

    users: Sequence[str] = ()
    mobiles: Sequence[str] = ()
    groups: Sequence[str] = ()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.mobiles or self.groups or self.everyone)


def telling(notices: Sequence[Transition], context: Context) -> Telling:
    """One notice in full, several as a digest: what is wrong and bad first, an alert once, as it stands last."""
    return _one(notices[0], context) if len(notices) == 1 else _digest(notices, context)


def called(notices: Sequence[Transition], mentions: Sequence[Mention]) -> Called:
    """Who is to be called: by what has just gone wrong, and not by what is over already."""
    users: dict[str, None] = {}
    mobiles: dict[str, None] = {}
    groups: dict[str, None] = {}
    everyone = False
    for notice in latest(notices):
        if notice.notice not in OPENING:
            continue
        for mention in mentions:
            if mention.severity and notice.alert.severity not in mention.severity:
                continue
            if mention.owner and notice.alert.owner not in mention.owner:
                continue
            users |= dict.fromkeys(mention.users)
            mobiles |= dict.fromkeys(mention.mobiles)
            groups |= dict.fromkeys(mention.groups)
            everyone = everyone or mention.everyone
    return Called(tuple(users), tuple(mobiles), tuple(groups), everyone)


def latest(notices: Sequence[Transition]) -> list[Transition]:
    """The last notice of each alert, what is wrong before what is over, the critical before the rest."""
    last = {notice.alert.id: notice for notice in notices}
    return sorted(
        last.values(), key=lambda n: (n.notice not in OPENING, _RANK.get(n.alert.severity, 3), _ORDER.index(n.notice))
    )


def _one(notice: Transition, context: Context) -> Telling:
    languages: tuple[PageLanguage, ...] = ("zh", "en") if context.language == "both" else (context.language,)
    first, *others = [compose(notice, context.external_url, language) for language in languages]
    lines = [first.summary, *(page.summary for page in others)]
    if notice.notice == ACKNOWLEDGED:
        lines.append(_named("by", notice.actor, context))
    if notice.note:
        lines.append(_named("note", notice.note, context))
    lines += [f"{name}: {value}" for name, value in first.facts]
    lines.append(first.curve)
    lines.append(", ".join(f"{name} {value}" for name, value in first.points))
    if notice.notice != RESOLVED:
        lines += [_named("runbook", page.runbook, context) for page in (first, *others) if page.runbook]
    return Telling(
        title=f"{_standing(notice, context)} {one_line(first.title)}",
        lines=[line for text in lines if (line := one_line(text))],
        links=_links(first.links),
        severity=notice.alert.severity,
        over=notice.notice == RESOLVED,
    )


def _digest(notices: Sequence[Transition], context: Context) -> Telling:
    last = latest(notices)
    language: PageLanguage = "en" if context.language == "en" else "zh"
    counts = Counter(notice.notice for notice in last)
    parts = [f"{counts[kind]} {_choose(_NOTICE[kind], context)}" for kind in _ORDER if counts[kind]]
    pages = [(notice, compose(notice, context.external_url, language)) for notice in last]
    return Telling(
        title=f"{len(last)} {_choose(_WORDS['alerts' if len(last) > 1 else 'alert'], context)}: {', '.join(parts)}",
        lines=[f"{_standing(n, context)} {one_line(page.title)}: {one_line(page.summary)}" for n, page in pages],
        links=_links([Link(_choose(_WORDS["open"], context), context.link("/api/v1/alerts"))]),
        severity=min((n.alert.severity for n in last), key=lambda severity: _RANK.get(severity, 3)),
        over=all(n.notice == RESOLVED for n in last),
    )


def _links(links: Sequence[Link]) -> list[Link]:
    # One that is too long for a message leads nowhere when it is cut, and so it is left out.
    found = [Link(fit(one_line(link.title), 60), quote(clean(link.url), safe=_SAFE)) for link in links]
    return [link for link in found if len(link.url) <= _LONGEST_ADDRESS][:_MOST_LINKS]


def _standing(notice: Transition, context: Context) -> str:
    severity = _choose(_SEVERITY.get(notice.alert.severity, _SEVERITY["info"]), context)
    return f"[{_choose(_NOTICE[notice.notice], context)} · {severity}]"


def _named(name: str, value: str, context: Context) -> str:
    return f"{_choose(_WORDS[name], context)}: {value}"


def _choose(words: tuple[str, str], context: Context) -> str:
    english, chinese = words
    return {"en": english, "zh": chinese, "both": f"{chinese} {english}"}[context.language]
