"""Alerts in the store: every transition is one row, and the last row of an alert is how it stands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from services.alerts import queries
from services.alerts.alert import Alert, Impact, Transition
from services.alerts.lifecycle import Life, State
from services.alerts.patience import Patience
from services.common.errors import NotFound
from services.common.store import StorePool

_MOMENT = pa.timestamp("ms", tz="UTC")
_TEXT = ("alert_id", "state", "actor", "note", "rule", "severity", "campaign_id", "labels", "evidence")
_MORE_TEXT = ("fingerprint", "summary", "runbook", "notice", "details")
_TIMES = ("at", "starts_at", "fired_at", "ends_at", "complete_until")
_NUMBERS = ("value", "threshold")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a notice at one receiver: `delivered`, `undelivered`, or `waiting` with `at` 0."""

    receiver: str
    outcome: str
    attempts: int = 0
    detail: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an alert's timeline; `deliveries` are those that have come to an end."""

    at: int
    state: str
    actor: str
    note: str
    notice: str
    deliveries: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class Request:
    """That somebody acknowledges the alert that fired at that moment."""

    alert_id: str
    fired_at: int
    actor: str
    note: str


class Ledger:
    """Reads and writes alerts. All calls raise `StoreError`."""

    def __init__(self, pool: StorePool) -> None:
        self._pool = pool

    async def record(self, transitions: Sequence[Transition], term: int = 0) -> None:
        """Appends transitions, in one insert; repeating the same ones changes nothing.

        `term` is that of the lease in which they came about: what is recorded after its end counts for nothing.
        """
        rows = [_row(transition) for transition in transitions]
        columns: dict[str, Any] = {
            name: pa.array([row[name] for row in rows], pa.string()) for name in (*_TEXT, *_MORE_TEXT)
        }
        columns |= {name: pa.array([row[name] for row in rows], pa.float64()) for name in _NUMBERS}
        columns |= {name: pa.array([row[name] for row in rows], _MOMENT) for name in _TIMES}
        columns["seq"] = pa.array([row["seq"] for row in rows], pa.uint32())
        columns["term"] = pa.array([term] * len(rows), pa.uint64())
        names = f"{term}:" + ",".join(f"{row['alert_id']}:{row['seq']}:{row['state']}" for row in rows)
        await self._pool.insert(
            "alert_transitions", pa.table(columns), token=hashlib.sha256(names.encode()).hexdigest()
        )

    async def open_alerts(self) -> list[Alert]:
        """Every alert that is firing or acknowledged."""
        return [alert_of(row) for row in await self._pool.query(queries.OPEN_ALERTS)]

    async def ended_lately(self, since: int) -> list[Alert]:
        """The last one of each thing, where it was resolved since then."""
        return [alert_of(row) for row in await self._pool.query(queries.ENDED_LATELY, {"from": since})]

    async def patience(self) -> Patience:
        """Since when what is pending has been so."""
        rows = await self._pool.query(queries.PENDING)
        return Patience(json.loads(rows[0]["since"]), rows[0]["seen_at"]) if rows else Patience()

    async def keep_patience(self, patience: Patience) -> None:
        """Writes down since when what is pending has been so."""
        row = {
            "name": pa.array(["pending"]),
            "since": pa.array([json.dumps(dict(patience.since))]),
            "seen_at": pa.array([patience.seen_at], _MOMENT),
        }
        await self._pool.insert("alert_pending", pa.table(row))

    async def find(
        self, *, campaign_id: str, state: str, severity: str, limit: int, incident: str = "", campaigns: str = ""
    ) -> list[Alert]:
        """The newest alerts; empty strings ask for all. `campaigns` is RE2 over the ids of campaigns; what is of none
        is always among them."""
        rows = await self._pool.query(
            queries.ALERTS,
            {
                "campaign_id": campaign_id,
                "state": state,
                "severity": severity,
                "incident": incident,
                "campaigns": campaigns,
                "limit": limit,
            },
        )
        return [alert_of(row) for row in rows]

    async def get(self, alert_id: str) -> Alert:
        """Raises `NotFound`."""
        rows = await self._pool.query(queries.ALERT, {"alert_id": alert_id})
        if not rows:
            raise NotFound("alert", alert_id)
        return alert_of(rows[0])

    async def timeline(self, alert_id: str) -> list[Moment]:
        """The alert's transitions, the first one first."""
        rows = await self._pool.query(queries.TIMELINE, {"alert_id": alert_id})
        return [
            Moment(
                row["at"],
                row["state"],
                row["actor"],
                row["note"],
                row["notice"],
                [
                    Delivery(receiver, outcome, attempts, detail, at)
                    for receiver, outcome, attempts, detail, at in row["deliveries"]
                    if receiver
                ],
            )
            for row in rows
        ]

    async def request(self, alert: Alert, actor: str, note: str) -> None:
        """Asks whoever judges to acknowledge the alert as it is."""
        row = {
            "alert_id": pa.array([alert.id]),
            "fired_at": pa.array([alert.life.fired_at], _MOMENT),
            "actor": pa.array([actor]),
            "note": pa.array([note]),
        }
        token = f"{alert.id}:{alert.life.fired_at}:{actor}"
        await self._pool.insert("alert_requests", pa.table(row), token=token)

    async def requests(self) -> list[Request]:
        """What was asked of late, the first thing first."""
        return [Request(**row) for row in await self._pool.query(queries.REQUESTS)]

    async def undelivered(self, receiver: str, since: int) -> list[Transition]:
        """Notices since then that the receiver has not had, in order."""
        rows = await self._pool.query(queries.UNDELIVERED, {"receiver": receiver, "from": since})
        return [Transition(alert_of(row), row["at"], row["actor"], row["note"], row["notice"]) for row in rows]

    async def record_deliveries(
        self, notices: Sequence[tuple[Transition, int]], receiver: str, outcome: str, detail: str, now: int
    ) -> None:
        """The end of the way of notices, each with its number of attempts."""
        keys = [(notice.alert.id, notice.alert.seq, attempts) for notice, attempts in notices]
        await self._record(keys, receiver, outcome, detail, now)

    async def known_since(self, receiver: str, now: int) -> int:
        """When the receiver was first heard of; 0 for one of whom deliveries alone are known.

        Remembers `now` of one that was never heard of.
        """
        ((rows, since),) = [
            (row["rows"], row["since"]) for row in await self._pool.query(queries.KNOWN_SINCE, {"receiver": receiver})
        ]
        if rows:
            return int(since)
        await self._record([("", 0, 0)], receiver, "since", "", now)
        return now

    async def receivers_since(self) -> dict[str, int]:
        """When each receiver was first heard of; without those of whom deliveries alone are known."""
        return {row["receiver"]: row["since"] for row in await self._pool.query(queries.RECEIVERS_SINCE)}

    async def was_told(self, alert_id: str, receiver: str) -> bool:
        """Whether the receiver has taken any notice of the alert."""
        return bool(await self._pool.query(queries.WAS_TOLD, {"alert_id": alert_id, "receiver": receiver}))

    async def _record(
        self, keys: Sequence[tuple[str, int, int]], receiver: str, outcome: str, detail: str, now: int
    ) -> None:
        alerts, seqs, attempts = zip(*keys, strict=True)
        rows = {
            "alert_id": pa.array(alerts),
            "seq": pa.array(seqs, pa.uint32()),
            "receiver": pa.array([receiver] * len(keys)),
            "outcome": pa.array([outcome] * len(keys)),
            "attempts": pa.array(attempts, pa.uint32()),
            "detail": pa.array([detail] * len(keys)),
            "at": pa.array([now] * len(keys), _MOMENT),
        }
        names = ",".join(f"{alert_id}:{seq}" for alert_id, seq, _ in keys)
        # Of several that say since when, the first is right.
        names += f"@{now}" if outcome == "since" else ""
        token = hashlib.sha256(f"{receiver}:{names}".encode()).hexdigest()
        await self._pool.insert("alert_deliveries", pa.table(rows), token=token)


def _row(transition: Transition) -> dict[str, Any]:
    alert = transition.alert
    return {
        "alert_id": alert.id,
        "seq": alert.seq,
        "at": transition.at,
        "state": alert.state.value,
        "actor": transition.actor,
        "note": transition.note,
        "rule": alert.rule,
        "severity": alert.severity,
        "campaign_id": alert.campaign_id,
        "labels": json.dumps(alert.labels, ensure_ascii=False),
        "evidence": json.dumps(alert.evidence, ensure_ascii=False),
        "fingerprint": alert.fingerprint,
        "value": alert.value,
        "threshold": alert.threshold,
        "summary": alert.summary,
        "runbook": alert.runbook,
        "starts_at": alert.starts_at,
        "fired_at": alert.life.fired_at,
        "ends_at": alert.ends_at,
        "complete_until": alert.complete_until,
        "notice": transition.notice,
        "details": json.dumps(_details(alert), ensure_ascii=False),
    }


def _details(alert: Alert) -> dict[str, Any]:
    details: dict[str, Any] = {
        "owner": alert.owner,
        "phase": alert.phase,
        "annotations": dict(alert.annotations),
        "incident": alert.incident,
        "timezone": alert.timezone,
        "mute": alert.mute,
        "quiet_until": alert.quiet_until,
        "flaps": alert.flaps,
        "told_at": alert.told_at,
        "escalations": alert.escalations,
    }
    if alert.impact is not None:
        details["impact"] = alert.impact.told()
    return details


def alert_of(row: Mapping[str, Any]) -> Alert:
    """The alert of a row of `queries`."""
    life = Life(
        State(row["state"]),
        int(row["alert_id"][:12], 16),
        fired_at=row["fired_at"],
        ends_at=row["ends_at"],
    )
    # Rows of before there were any say nothing.
    details = json.loads(row["details"])
    impact = details.get("impact")
    return Alert(
        id=row["alert_id"],
        rule=row["rule"],
        severity=row["severity"],
        campaign_id=row["campaign_id"],
        labels=json.loads(row["labels"]),
        fingerprint=row["fingerprint"],
        life=life,
        value=row["value"],
        threshold=row["threshold"],
        summary=row["summary"],
        runbook=row["runbook"],
        starts_at=row["starts_at"],
        complete_until=row["complete_until"],
        evidence=json.loads(row["evidence"]),
        seq=row["last_seq"],
        notified=bool(row["notified"]),
        owner=details.get("owner", ""),
        phase=details.get("phase", ""),
        annotations=details.get("annotations", {}),
        impact=impact and Impact(Decimal(impact["loss_per_minute"]), impact["basis"], impact.get("basis_zh", "")),
        incident=details.get("incident", "") or row["alert_id"],
        timezone=details.get("timezone", "UTC"),
        mute=details.get("mute", ""),
        quiet_until=details.get("quiet_until"),
        flaps=details.get("flaps", 0),
        told_at=details.get("told_at"),
        escalations=details.get("escalations", 0),
    )
