"""What a notice says to people, in words, before any vendor's markup. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.receivers import Mention
from services.alerts.alert import Alert, Transition
from services.alerts.delivery.sinks.base import ACKNOWLEDGED, ESCALATED, FIRING, OPENING, RESOLVED, Context
from services.alerts.delivery.text import one_line
from services.common.clock import to_datetime

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
    "value": ("value", "当前值"),
    "threshold": ("threshold", "阈值"),
    "since": ("since", "开始"),
    "until": ("until", "结束"),
    "complete": ("complete until", "数据完整至"),
    "runbook": ("runbook", "预案"),
    "by": ("by", "处理人"),
    "note": ("note", "备注"),
    "open": ("open", "查看"),
}


@dataclass(frozen=True, slots=True)
class Telling:
    """One message in plain words. `title` is one line; `lines` are in the order in which they matter."""

    title: str
    lines: Sequence[str]
    link: str
    link_text: str
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
            if mention.owner and owner_of(notice.alert) not in mention.owner:
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


def owner_of(alert: Alert) -> str:
    """Whom the alert's rule names; empty without."""
    return alert.labels.get("owner", "")


def word(name: str, context: Context) -> str:
    """A word of the interface in the receiver's language."""
    return _choose(_WORDS[name], context)


def moment(ms: int) -> str:
    """Second and zone; what lies between two seconds is nothing for people."""
    return to_datetime(ms).strftime("%Y-%m-%d %H:%M:%S UTC")


def number(value: float) -> str:
    """Short, without an exponent or a tail of zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _one(notice: Transition, context: Context) -> Telling:
    alert = notice.alert
    lines = [one_line(alert.summary)]
    if notice.notice == ACKNOWLEDGED:
        lines.append(_named("by", notice.actor, context))
    if notice.note:
        lines.append(_named("note", one_line(notice.note), context))
    lines.append(", ".join(f"{one_line(name)}={one_line(value)}" for name, value in alert.labels.items()))
    lines.append(
        f"{_named('value', number(alert.value), context)}, {_named('threshold', number(alert.threshold), context)}"
    )
    lines.append(_named("since", moment(alert.starts_at), context))
    if alert.ends_at is not None:
        lines.append(_named("until", moment(alert.ends_at), context))
    lines.append(_named("complete", moment(alert.complete_until), context))
    if notice.notice != RESOLVED:
        lines.append(_named("runbook", one_line(alert.runbook), context))
    return Telling(
        title=f"{_standing(notice, context)} {alert.rule}",
        lines=[line for line in lines if line],
        link=context.link(f"/api/v1/alerts/{alert.id}"),
        link_text=word("open", context),
        severity=alert.severity,
        over=notice.notice == RESOLVED,
    )


def _digest(notices: Sequence[Transition], context: Context) -> Telling:
    last = latest(notices)
    counts = Counter(notice.notice for notice in last)
    parts = [f"{counts[kind]} {_choose(_NOTICE[kind], context)}" for kind in _ORDER if counts[kind]]
    return Telling(
        title=f"{len(last)} {word('alerts' if len(last) > 1 else 'alert', context)}: {', '.join(parts)}",
        lines=[f"{_standing(n, context)} {n.alert.rule}: {one_line(n.alert.summary)}" for n in last],
        link=context.link("/api/v1/alerts"),
        link_text=word("open", context),
        severity=min((n.alert.severity for n in last), key=lambda severity: _RANK.get(severity, 3)),
        over=all(n.notice == RESOLVED for n in last),
    )


def _standing(notice: Transition, context: Context) -> str:
    severity = _choose(_SEVERITY.get(notice.alert.severity, _SEVERITY["info"]), context)
    return f"[{_choose(_NOTICE[notice.notice], context)} · {severity}]"


def _named(name: str, value: str, context: Context) -> str:
    return f"{word(name, context)}: {value}"


def _choose(words: tuple[str, str], context: Context) -> str:
    english, chinese = words
    return {"en": english, "zh": chinese, "both": f"{chinese} {english}"}[context.language]
