"""Every PromQL expression against a real Prometheus that scrapes the running system, under the rules that ship."""

from __future__ import annotations

import asyncio
import json
import math
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest
import yaml
from aiokafka import AIOKafkaProducer

from tests.alerts.delivery.server import Reply, serving
from tests.grafana.boards import DEPLOY, RULES_FILE, Asked, boards, queries, rules
from tests.grafana.expressions import metrics_of
from tests.grafana.grafana import ALL, Chosen, View, promql
from tests.support.debian import NotToBeHad, find_program
from tests.support.prometheus import Server, running_prometheus
from tests.support.war_room import WarRoom, war_room_in

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

CAMPAIGN, LAST_YEAR = "festival", "festival-last-year"
PATIENCE_SECONDS = 300

NEVER_IN_ORDER: dict[str, str] = {
    "warroom_alert_rule_failures_total": "begins with the first fault of a rule, of which none is known",
}
"""Series that a healthy system does not have, and why; a panel writes `or vector(0)` behind them."""


def test_every_query_finds_something(tmp_path: Path) -> None:
    """Catches: a metric that was renamed, labels that do not match, a variable without values, a rule that fails."""
    try:
        find_program("prometheus", "prometheus")
    except NotToBeHad as error:
        pytest.skip(f"NOT TESTED, the queries of the dashboards against Prometheus: {error}")
    with serving(lambda _: Reply(200)) as receiver:
        env = {"WARROOM_ALERT_WEBHOOK_URL": receiver.url, "WARROOM_AUDIT_EVERY_SECONDS": "5"}
        with war_room_in(tmp_path / "warroom", env=env) as room:
            room.start()
            with running_prometheus(tmp_path / "prometheus", _config(tmp_path / "prometheus", room)) as prometheus:
                with _festival(room), _viewer(room):
                    empty = _unanswered(prometheus)
                names = set(prometheus.get("/api/v1/label/__name__/values")["data"])
                health = prometheus.get("/api/v1/rules")["data"]["groups"]
            room.stop()
    assert not empty, "empty panels:\n" + "\n".join(f"{query.where}: {query.text}" for query in empty)
    wanted = {name for board in boards().values() for query in queries(board) if query.prometheus
              for name in metrics_of(_bare(query.text))}  # fmt: skip
    wanted |= {name for rule in rules() if rule["expr"] != "vector(1)" for name in metrics_of(rule["expr"])}
    assert wanted - names == NEVER_IN_ORDER.keys(), "unknown metrics, or exceptions that are no longer needed"
    for rule in (rule for group in health for rule in group["rules"]):
        assert rule["health"] == "ok", rule
        if rule["type"] == "alerting" and rule["state"] == "firing":
            # Refusals and repeats were sent on purpose.
            assert rule["name"] in ("WarroomWatchdog", "WarroomRefusals", "WarroomRepeats"), rule


def _bare(text: str) -> str:
    return re.sub(r"^label_values\((.+), *\w+\)$", r"\1", text)


def _config(directory: Path, room: WarRoom) -> dict[str, Any]:
    """The configuration that ships, with our address and a shorter patience."""
    directory.mkdir()
    copy(RULES_FILE, directory)
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text.replace("127.0.0.1:8080", f"127.0.0.1:{room.http_port}"))
    del config["alerting"]
    config["global"] = {"scrape_interval": "2s", "evaluation_interval": "2s"}
    return config


@contextmanager
def _festival(room: WarRoom) -> Iterator[None]:
    """A declared campaign that runs, with an item at zero, records that are refused and some that come twice."""
    start = datetime.now(UTC) - timedelta(minutes=12)
    asyncio.run(_last_year(room.kafka, start - timedelta(days=364)))
    command = [
        str(Path(sys.executable).with_name("warroom")), "simulate", "--bootstrap-servers", room.kafka, "--no-campaign",
        "--campaign-id", CAMPAIGN, "--history", "10m", "--events-per-second", "40", "--duplicates", "0.02",
        "--incident", "stock_out@2:300", "--incident", "malformed@2:300:count=2",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as sender:
        try:
            _declare(room, start, _channels(room))
            yield
            assert sender.poll() is None, f"it ended: {sender.stderr and sender.stderr.read()!r}"
        finally:
            sender.kill()


def _channels(room: WarRoom) -> list[str]:
    """The channels that have sold something."""
    path = f"{room.url}/api/v1/campaigns/{CAMPAIGN}/breakdown?dimension=channel&metrics=paid_gmv,ad_cost"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer = httpx.get(path, timeout=30)
        found = [row["channel"] for row in answer.json()["rows"] if row["ad_cost"]] if answer.is_success else []
        if len(found) > 2:
            return found
        time.sleep(1)
    raise AssertionError("nothing was sold")


def _declare(room: WarRoom, start: datetime, channels: list[str]) -> None:
    middle, end = start + timedelta(minutes=5), start + timedelta(hours=2)
    body = {
        "name": "Festival",
        "start": start.isoformat(),
        "end": end.isoformat(),
        "gross_margin": 0.4,
        "phases": [
            {"name": "warm-up", "start": start.isoformat(), "end": middle.isoformat()},
            {"name": "burst", "start": middle.isoformat(), "end": end.isoformat()},
        ],
        "targets": {"total": {"gmv": "500000", "uv": 5000}, "phases": {"burst": {"gmv": "400000"}}},
        "budgets": dict.fromkeys(channels, "5000"),
        "baseline_campaign_id": LAST_YEAR,
    }
    past = {"name": "then", "start": (start - timedelta(days=364)).isoformat(), "end": start.isoformat()}
    for name, declared in ((LAST_YEAR, past), (CAMPAIGN, body)):
        httpx.put(f"{room.url}/api/v1/campaigns/{name}", json=declared, timeout=30).raise_for_status()


async def _last_year(bootstrap_servers: str, start: datetime) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
    await producer.start()
    try:
        for number in range(20):
            order = {
                "event_id": f"then-{number}",
                "event_name": "order_created",
                "event_time": (start + timedelta(seconds=number)).isoformat(),
                "campaign_id": LAST_YEAR,
                "user_id": f"u{number}",
                "order_id": f"then-{number}",
                "value": "99.00",
                "currency": "CNY",
            }
            await producer.send_and_wait("campaign.orders", json.dumps(order).encode(), key=b"then")
    finally:
        await producer.stop()


@contextmanager
def _viewer(room: WarRoom) -> Iterator[None]:
    """Somebody who watches the stream."""
    leaving = threading.Event()

    def watch() -> None:
        # The end of the test ends the connection, in the middle of whatever comes.
        path = f"{room.url}/api/v1/campaigns/{CAMPAIGN}/stream"
        with suppress(httpx.TransportError), httpx.stream("GET", path, timeout=60) as answer:
            for _ in answer.iter_raw():
                if leaving.is_set():
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join(70)


def _unanswered(prometheus: Server) -> list[Asked]:
    """The queries that have found nothing when patience is over, each asked again until it finds something."""
    left = [
        (query, chosen)
        for board in boards().values()
        for query in queries(board)
        if query.prometheus
        for chosen in ((ALL, "one") if "$channel" in query.text else (ALL,))
    ]
    records = [
        Asked(rule["record"], "rule", rule["record"], prometheus=True, instant=True)
        for rule in rules()
        if "record" in rule
    ]
    left += [(query, ALL) for query in records]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left and time.monotonic() < deadline:
        variables = _variables(prometheus)
        if variables is not None:
            left = [(query, chosen) for query, chosen in left if not _found(prometheus, query, chosen, variables)]
        time.sleep(3)
    return [query for query, _ in left]


def _variables(prometheus: Server) -> dict[str, Chosen] | None:
    """What the variables of all dashboards offer; None while one of them offers nothing."""
    found: dict[str, Chosen] = {}
    for board in boards().values():
        for variable in board["templating"]["list"]:
            text = variable["query"]["query"]
            view = View(datetime.now(UTC) - timedelta(minutes=30), datetime.now(UTC), found)
            values = _label_values(prometheus, promql(text, view))
            if variable["name"] == "campaign":
                values = [value for value in values if value == CAMPAIGN]
            if not values:
                return None
            found[variable["name"]] = Chosen(
                [ALL] if variable["multi"] else values[:1], values, variable.get("allValue")
            )
    return found


def _label_values(prometheus: Server, text: str) -> list[str]:
    """What the Prometheus data source does for `label_values(selector, label)`."""
    match = re.fullmatch(r"label_values\((.+), *(\w+)\)", text)
    assert match is not None, text
    answer = prometheus.get(f"/api/v1/label/{match.group(2)}/values", **{"match[]": match.group(1)})
    values: list[str] = answer["data"]
    return values


def _found(prometheus: Server, query: Asked, chosen: str, variables: dict[str, Chosen]) -> bool:
    if query.kind == "variable":
        return True
    if chosen != ALL:
        known = variables["channel"]
        # The first that is a channel, and not what is left of them.
        variables = variables | {"channel": Chosen([known.options[0]], known.options, known.everything)}
    now = datetime.now(UTC)
    text = promql(query.text, View(now - timedelta(minutes=5), now, variables))
    assert "$" not in text, text
    if query.instant:
        answer = prometheus.get("/api/v1/query", query=text)
    else:
        answer = prometheus.get(
            "/api/v1/query_range", query=text, start=now.timestamp() - 120, end=now.timestamp(), step=5
        )
    series = answer["data"]["result"]
    points = [value for each in series for _, value in (each.get("values") or [each["value"]])]
    return any(not math.isnan(float(value)) for value in points)
