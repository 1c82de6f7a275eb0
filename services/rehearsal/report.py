"""A scorecard as JSON and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from services.common.clock import to_datetime
from services.rehearsal.driver import Outcome
from services.rehearsal.programme import Plan
from services.rehearsal.scorecard import Page, Score, consequences
from services.simulator.timeline import Truth


def percentile(ascending: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share does not exceed; None of nothing."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)] if ascending else None


def as_json(outcome: Outcome, plan: Plan, path: str, step_ms: int) -> dict[str, Any]:
    """Everything, with times in RFC 3339 and delays in seconds of event time."""
    score = outcome.score
    return {
        "path": path,
        "rehearsed": {
            "seed": plan.seed,
            "seeds": plan.seeds,
            "hours": plan.hours,
            "variant": plan.variant,
            "events_per_second": plan.events_per_second,
            "start": _time(plan.start_ms),
            "step_seconds": step_ms / 1000,
        },
        "totals": totals(outcome),
        "rules": by_rule(score),
        "kinds": by_kind(score),
        "deliveries": {
            "due": outcome.deliveries.due,
            "received_once": outcome.deliveries.once,
            "never_received": outcome.deliveries.never,
            "received_again": outcome.deliveries.again,
        },
        "found": [
            {**_truth(found.truth), "delay_seconds": found.delay_ms / 1000, "page": _page(found.page)}
            for found in score.found
        ],
        "missed": [{**_truth(missed.truth), "note": missed.note} for missed in score.missed],
        "false": [{**_page(false.page), "why": false.why, "during": list(false.during)} for false in score.false],
        "accepted": [{**_page(one.page), "consequence_of": _truth(one.truth)} for one in score.accepted],
        "decoys": [_truth(truth) for truth in score.decoys],
        "real_seconds_by_part": outcome.parts,
    }


def totals(outcome: Outcome) -> dict[str, Any]:
    """The figures that count."""
    score = outcome.score
    delays = [delay / 1000 for delay in score.delays_ms]
    return {
        "festivals": score.festivals,
        "events": outcome.events,
        "injected": score.injected,
        "found": len(score.found),
        "found_share": score.found_share,
        "false_pages": len(score.false),
        "false_pages_per_festival": score.false_per_festival,
        "delay_median_seconds": percentile(delays, 0.5),
        "delay_p90_seconds": percentile(delays, 0.9),
        "delay_max_seconds": delays[-1] if delays else None,
        "event_hours": round(outcome.event_seconds / 3600, 2),
        "real_seconds": round(outcome.seconds, 1),
        "times_real_speed": round(outcome.speed, 1),
        "festival_hours_per_hour": round(outcome.speed * score.festivals, 1),
        "steps": outcome.steps,
    }


def by_rule(score: Score) -> dict[str, dict[str, Any]]:
    """By rule: injected, found, missed, false, accepted, and delays in seconds."""
    names = {found.truth.rule for found in score.found} | {missed.truth.rule for missed in score.missed}
    names |= {false.page.rule for false in score.false} | {one.page.rule for one in score.accepted}
    return {name: _line(score, name) for name in sorted(names)}


def by_kind(score: Score) -> dict[str, dict[str, int]]:
    """By kind of incident: injected and found."""
    kinds: dict[str, dict[str, int]] = {}
    for found in score.found:
        kind = kinds.setdefault(found.truth.type, {"injected": 0, "found": 0})
        kind["injected"] += 1
        kind["found"] += 1
    for missed in score.missed:
        kinds.setdefault(missed.truth.type, {"injected": 0, "found": 0})["injected"] += 1
    return dict(sorted(kinds.items()))


def as_text(outcome: Outcome, path: str) -> str:
    """A table for people, with what was missed and what was false."""
    score = outcome.score
    told = totals(outcome)
    share = "none injected" if score.found_share is None else f"{score.found_share:.0%}"
    lines = [
        f"Path: {path}.",
        f"{score.festivals} festival(s) of {told['event_hours']:g} h, {outcome.events:,} events; "
        f"{told['real_seconds']:,.0f} s, {told['times_real_speed']:,.0f} times real speed.",
        "",
        f"{'rule':<20}{'injected':>9}{'found':>7}{'missed':>8}{'false':>7}{'accepted':>10}"
        f"{'median':>9}{'p90':>8}{'max':>8}",
    ]
    for name, row in by_rule(score).items():
        lines.append(
            f"{name:<20}{row['injected']:>9}{row['found']:>7}{row['missed']:>8}{row['false']:>7}{row['accepted']:>10}"
            f"{_seconds(row['delay_median_seconds']):>9}{_seconds(row['delay_p90_seconds']):>8}"
            f"{_seconds(row['delay_max_seconds']):>8}"
        )
    lines += [
        "",
        f"Found {share} ({len(score.found)} of {score.injected}); "
        f"{score.false_per_festival:.1f} false pages a festival; "
        f"median delay {_seconds(told['delay_median_seconds'])} of event time.",
        f"Notices: {outcome.deliveries.due} due, {outcome.deliveries.once} received once, "
        f"{outcome.deliveries.never} never, {outcome.deliveries.again} again.",
    ]
    lines += _listed("Missed", [f"{_told(one.truth)}  {one.note}".rstrip() for one in score.missed])
    lines += _listed(
        "False",
        [f"{_told_page(one.page)}  {one.why}; {'; '.join(one.during) or 'nothing near'}" for one in score.false],
    )
    lines += _listed(
        "Accepted as a consequence", [f"{_told_page(one.page)}  of {one.truth.type}" for one in score.accepted]
    )
    return "\n".join(lines)


def _line(score: Score, rule: str) -> dict[str, Any]:
    delays = sorted(found.delay_ms / 1000 for found in score.found if found.truth.rule == rule)
    missed = sum(one.truth.rule == rule for one in score.missed)
    return {
        "injected": len(delays) + missed,
        "found": len(delays),
        "missed": missed,
        "false": sum(one.page.rule == rule for one in score.false),
        "accepted": sum(one.page.rule == rule for one in score.accepted),
        "delay_median_seconds": percentile(delays, 0.5),
        "delay_p90_seconds": percentile(delays, 0.9),
        "delay_max_seconds": delays[-1] if delays else None,
    }


def _truth(truth: Truth) -> dict[str, Any]:
    return {
        "type": truth.type,
        "rule": truth.rule,
        "campaign_id": truth.campaign_id,
        "labels": {"campaign_id": truth.campaign_id, **truth.labels},
        "starts_at": _time(truth.starts_ms),
        "ends_at": _time(truth.ends_ms),
        "details": {name: value for name, value in truth.details.items() if name != "consequences"},
        "consequences": list(consequences(truth)),
    }


def _page(page: Page) -> dict[str, Any]:
    return {
        "alert_id": page.alert_id,
        "rule": page.rule,
        "severity": page.severity,
        "labels": dict(page.labels),
        "told_at": _time(page.told_at),
        "summary": page.summary,
    }


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _told(truth: Truth) -> str:
    named = " ".join(value for name, value in sorted(truth.labels.items()) if name != "campaign_id")
    seconds = (truth.ends_ms - truth.starts_ms) / 1000
    return f"{_time(truth.starts_ms)} {truth.campaign_id} {truth.rule} ({truth.type}) {named} {seconds:.0f} s".strip()


def _told_page(page: Page) -> str:
    named = " ".join(value for name, value in sorted(page.labels.items()) if name not in ("campaign_id", "team"))
    return f"{_time(page.told_at)} {page.campaign_id} {page.rule} {named}".strip()


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _time(ms: int) -> str:
    return to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
