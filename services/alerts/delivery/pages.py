"""The page of a notice: what the alert itself knows, in one language. Pure."""

from __future__ import annotations

from services.alerts.alert import Transition
from services.alerts.page import Language, Link, Page
from services.common.clock import to_datetime

_WORDS = {
    "where": ("where", "对象"),
    "value": ("value", "当前值"),
    "threshold": ("threshold", "阈值"),
    "since": ("since", "开始"),
    "until": ("until", "结束"),
    "complete": ("complete until", "数据完整至"),
    "loss": ("estimated loss a minute", "预计每分钟损失"),
    "owner": ("owner", "负责人"),
    "open": ("open", "查看"),
}


def page_of(notice: Transition, language: Language, external_url: str) -> Page:
    """What people are to read of the notice."""
    alert = notice.alert
    chinese = language == "zh"
    word = {name: words[chinese] for name, words in _WORDS.items()}
    suffix = "_zh" if chinese else ""
    facts = [(word["where"], ", ".join(f"{name}={value}" for name, value in alert.labels.items()))]
    if alert.impact is not None:
        facts.append((word["loss"], str(alert.impact.loss_per_minute)))
    facts += [
        (word["value"], _number(alert.value)),
        (word["threshold"], _number(alert.threshold)),
        (word["since"], _moment(alert.starts_at)),
    ]
    if alert.ends_at is not None:
        facts.append((word["until"], _moment(alert.ends_at)))
    facts.append((word["complete"], _moment(alert.complete_until)))
    if alert.owner:
        facts.append((word["owner"], alert.owner))
    return Page(
        title=alert.rule,
        summary=alert.annotations.get(f"summary{suffix}") or alert.summary,
        facts=tuple(facts),
        runbook=alert.annotations.get(f"runbook{suffix}") or alert.runbook,
        links=(Link(word["open"], f"{external_url.rstrip('/')}/api/v1/alerts/{alert.id}"),),
    )


def _moment(ms: int) -> str:
    return to_datetime(ms).strftime("%Y-%m-%d %H:%M:%S UTC")


def _number(value: float) -> str:
    """Short, without an exponent or a tail of zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
