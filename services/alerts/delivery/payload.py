"""A transition in the form of Alertmanager's webhook, version "4"."""

from __future__ import annotations

import json
from typing import Any

from services.alerts.alert import Alert, Transition
from services.common.clock import to_datetime

RECEIVER = "webhook"
_NEVER = "0001-01-01T00:00:00Z"


def webhook_payload(transition: Transition, external_url: str) -> dict[str, Any]:
    """One group with one alert, so that every transition is a message of its own."""
    alert = transition.alert
    status = transition.notice
    external_url = external_url.rstrip("/")
    labels = {**alert.labels, "alertname": alert.rule, "severity": alert.severity}
    annotations = {
        "summary": alert.summary,
        "runbook": alert.runbook,
        "alert_id": alert.id,
        "value": number(alert.value),
        "threshold": number(alert.threshold),
        "complete_until": time(alert.complete_until),
    }
    group = {name: labels[name] for name in ("alertname", *sorted(alert.labels))}
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{', '.join(f'{name}={json.dumps(value)}' for name, value in group.items())}}}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "warroom",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": external_url,
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": time(alert.starts_at),
                "endsAt": _ends_at(alert) if status == "resolved" else _NEVER,
                "generatorURL": f"{external_url}/api/v1/alerts/{alert.id}",
                "fingerprint": alert.fingerprint,
            }
        ],
    }


def _ends_at(alert: Alert) -> str:
    return _NEVER if alert.ends_at is None else time(alert.ends_at)


def time(ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: float) -> str:
    """Without a point where there is none."""
    return str(int(value)) if float(value).is_integer() else repr(value)
