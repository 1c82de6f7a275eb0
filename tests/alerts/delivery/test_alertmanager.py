"""The real Alertmanager and Prometheus, as they ship: an alert arrives, groups, is silenced and resolves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.receivers import Receiver as Entry
from services.alerts.alert import Alert, Transition
from services.alerts.delivery.outbox import Outbox
from services.alerts.delivery.receiver import Receiver
from services.alerts.delivery.sinks.alertmanager import Alertmanager
from services.alerts.delivery.sinks.base import Context
from services.alerts.delivery.worker import Timing
from services.alerts.ledger import Ledger
from services.common.clock import wall_clock
from services.common.store import Store, StorePool
from tests.alerts.delivery.notices import notice
from tests.alerts.delivery.server import Reply, Server, serving
from tests.alerts.shop import Shop
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.debian import NotToBeHad, find_program
from tests.support.deployment import deployment
from tests.support.prometheus import DEPLOY, check, running_alertmanagers, running_prometheus
from tests.support.store import fresh_campaign
from tests.support.waiting import until

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
def _servers_can_be_had() -> None:
    try:
        find_program("prometheus-alertmanager", "prometheus-alertmanager")
        find_program("prometheus", "prometheus")
    except NotToBeHad as error:
        # A machine may be unable to get them at all; what the run then leaves out stands in its summary.
        pytest.skip(f"NOT TESTED, a real Alertmanager and Prometheus: {error}")


@pytest.fixture
def oncall() -> Iterator[Server]:
    """Whom Alertmanager tells."""
    with serving(lambda _: Reply(200)) as server:
        yield server


def shipped(oncall: Server) -> dict[str, Any]:
    """The configuration that ships, with our addresses and a shorter patience."""
    text = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    config: dict[str, Any] = yaml.safe_load(text.replace("http://127.0.0.1:9000", oncall.url))
    config["route"]["group_interval"] = "1s"
    return config


def told(oncall: Server) -> list[dict[str, Any]]:
    return [received.json() for received in oncall.received]


def of(oncall: Server, campaign: str, status: str) -> list[dict[str, Any]]:
    """The notifications of a campaign in a state."""
    found = [body for body in told(oncall) if body["groupLabels"].get("campaign_id") == campaign]
    return [body for body in found if body["status"] == status]


def notices(campaign: str, kind: str, now: int, *items: str) -> list[Transition]:
    return [notice(kind, labels={"campaign_id": campaign, "item_id": item}, now=now) for item in items]


@asynccontextmanager
async def sending(urls: Sequence[str], resend_ms: int = 60_000) -> AsyncIterator[Callable[[Sequence[Transition]], Any]]:
    sink = Alertmanager(urls, resend_ms=resend_ms)

    async def send(told: Sequence[Transition]) -> None:
        now = wall_clock()
        attempt = await sink.send(sink.render(told, Context("am", "http://war.room", now)), now)
        assert attempt.delivered, attempt

    try:
        yield send
    finally:
        await sink.close()


async def test_an_alert_arrives_groups_is_silenced_and_resolves(oncall: Server, tmp_path: Path) -> None:
    campaign, muted, now = fresh_campaign("am"), fresh_campaign("muted"), wall_clock()
    with running_alertmanagers(tmp_path, shipped(oncall)) as (alertmanager,):
        async with sending([alertmanager.url]) as send:
            silence = {
                "matchers": [{"name": "campaign_id", "value": muted, "isRegex": False, "isEqual": True}],
                "startsAt": datetime.now(UTC).isoformat(),
                "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
                "createdBy": "lin",
                "comment": "a rehearsal",
            }
            alertmanager.post("/api/v2/silences", silence)
            await send(notices(muted, "firing", now, "sku-1"))
            await send(notices(campaign, "firing", now, "sku-1", "sku-2"))
            await until(lambda: bool(of(oncall, campaign, "firing")))
            (page,) = of(oncall, campaign, "firing")
            # Two of one campaign are one notification, at the receiver for what is critical.
            assert page["receiver"] == "oncall"
            assert sorted(alert["labels"]["item_id"] for alert in page["alerts"]) == ["sku-1", "sku-2"]
            alert = page["alerts"][0]
            assert alert["labels"]["alertname"] == "stock_out"
            assert alert["annotations"]["summary"] == "Item sku-1 is sold out"
            assert alert["generatorURL"].startswith("http://war.room/api/v1/alerts/")
            assert datetime.fromisoformat(alert["startsAt"]).timestamp() == now / 1000
            (held,) = alertmanager.get("/api/v2/alerts", filter=f'campaign_id="{muted}"')
            assert (held["status"]["state"], of(oncall, muted, "firing")) == ("suppressed", [])
            await send([ended(n) for n in notices(campaign, "resolved", now, "sku-1", "sku-2")])
            await until(lambda: bool(of(oncall, campaign, "resolved")))
            assert len(of(oncall, campaign, "resolved")[0]["alerts"]) == 2
            assert of(oncall, muted, "resolved") == []


def ended(told: Transition) -> Transition:
    """The notice with its end at this moment."""
    return replace(told, alert=replace(told.alert, life=replace(told.alert.life, ends_at=wall_clock())))


async def test_what_is_open_stays_open_while_we_live_and_ends_with_us(
    oncall: Server, tmp_path: Path, store: Store
) -> None:
    campaign, now = fresh_campaign("resent"), wall_clock()
    firing = notices(campaign, "firing", now, "sku-1")
    opened: list[Alert] = [firing[0].alert]
    with running_alertmanagers(tmp_path, shipped(oncall)) as (alertmanager,):
        entry = Entry(name="am", type="alertmanager", url=alertmanager.url)
        sink = Alertmanager([alertmanager.url], resend_ms=1_500)
        pool = StorePool(store, threads=1, name="test")
        ledger = Ledger(pool)
        outbox = Outbox(ledger, [Receiver(entry, sink, "http://war.room")], Timing(wall_clock), lambda: opened)
        stop = asyncio.Event()
        await outbox.load()
        await ledger.record(firing)
        outbox.put(firing[0])
        task = asyncio.create_task(outbox.run(stop))
        try:
            await until(lambda: bool(of(oncall, campaign, "firing")))
            # Without word of it, it would end after six seconds.
            await asyncio.sleep(9)
            assert of(oncall, campaign, "resolved") == []
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)
            await pool.close()
        await until(lambda: bool(of(oncall, campaign, "resolved")))


async def test_a_cluster_that_is_told_as_a_whole_pages_once(oncall: Server, tmp_path: Path) -> None:
    campaign, now = fresh_campaign("cluster"), wall_clock()
    with running_alertmanagers(tmp_path, shipped(oncall), members=2) as members:
        await until(lambda: all(len(m.get("/api/v2/status")["cluster"]["peers"]) == 2 for m in members))
        async with sending([member.url for member in members]) as send:
            await send(notices(campaign, "firing", now, "sku-1"))
            assert [len(m.get("/api/v2/alerts", filter=f'campaign_id="{campaign}"')) for m in members] == [1, 1]
            await until(lambda: bool(of(oncall, campaign, "firing")))
            # The second waits three seconds for word from the first.
            await asyncio.sleep(5)
            assert len(of(oncall, campaign, "firing")) == 1
            members[0].close()
            await send([ended(n) for n in notices(campaign, "resolved", now, "sku-1")])
            await until(lambda: bool(of(oncall, campaign, "resolved")))


async def test_the_running_service_pages_by_alertmanager_and_prometheus_sees_it(
    oncall: Server, tmp_path: Path, own_endpoint: Endpoint
) -> None:
    """Everything real but the store's server: `warroom alerts` in a process of its own, told by its environment."""
    store = own_endpoint.store()
    shop = Shop(store, {})

    def look_alive(**stock: int) -> None:
        shop.now = wall_clock()
        shop.report()
        for item, available in stock.items():
            shop.set_stock(item.replace("_", "-"), available, safety=10)

    with running_alertmanagers(tmp_path, shipped(oncall)) as (alertmanager,):
        receivers = tmp_path / "receivers.yaml"
        receivers.write_text(
            f"receivers: [{{name: am, type: alertmanager, url: '{alertmanager.url}', resend_seconds: 5}}]"
        )
        env = {"WARROOM_CLICKHOUSE_URL": own_endpoint.url, "WARROOM_RECEIVERS_FILE": str(receivers)}
        with deployment(tmp_path, env) as services:
            look_alive(sku_1=100, sku_2=100)
            services.start(["alerts"])
            prometheus_config = scraping(tmp_path / "prometheus", services.ports["alerts"], alertmanager.port)
            with running_prometheus(tmp_path / "prometheus", prometheus_config) as prometheus:

                async def until_seen(condition: Callable[[], bool], **stock: int) -> None:
                    async with asyncio.timeout(60):
                        while not condition():
                            look_alive(**stock)
                            await asyncio.sleep(0.5)

                await until_seen(lambda: bool(of(oncall, shop.campaign, "firing")), sku_1=0, sku_2=0)
                await until_seen(lambda: len(of(oncall, shop.campaign, "firing")[-1]["alerts"]) == 2, sku_1=0, sku_2=0)
                text = services.get("alerts", "/metrics").text
                check("promtool", "prometheus", "check", "metrics", text=text)
                query = 'warroom_alerts{rule="stock_out", state="firing"}'
                await until_seen(lambda: value(prometheus.get("/api/v1/query", query=query)) == 2, sku_1=0, sku_2=0)
                delivered = 'warroom_alert_deliveries_total{type="alertmanager", outcome="delivered"}'
                assert value(prometheus.get("/api/v1/query", query=delivered)) >= 2
                await until_seen(lambda: bool(of(oncall, shop.campaign, "resolved")), sku_1=50, sku_2=50)
                # Nobody judges any more: only Prometheus can tell.
                services.kill("alerts")
                await until(lambda: "WarroomDown" in pages(oncall))
                await until(lambda: bool(alertmanager.get("/api/v2/alerts", filter="alertname=WarroomAlertsNotJudged")))
                # Which follows from the other, and so is known to Alertmanager and told to nobody.
                assert "WarroomAlertsNotJudged" not in pages(oncall)
    store.close()


def scraping(directory: Path, warroom: int, alertmanager: int) -> dict[str, Any]:
    """The configuration that ships, with our addresses and a shorter patience."""
    directory.mkdir()
    rules = (DEPLOY / "prometheus" / "warroom-rules.yml").read_text(encoding="utf-8")
    (directory / "warroom-rules.yml").write_text(re.sub(r"for: \d+m", "for: 2s", rules), encoding="utf-8")
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{warroom}").replace("127.0.0.1:9093", f"127.0.0.1:{alertmanager}")
    config: dict[str, Any] = yaml.safe_load(text)
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    return config


def value(answer: Any) -> float:
    """The sum of an instant vector."""
    return sum(float(series["value"][1]) for series in answer["data"]["result"])


def pages(oncall: Server) -> set[str]:
    """The names of all alerts that anybody was told of as firing."""
    return {
        alert["labels"]["alertname"] for body in told(oncall) if body["status"] == "firing" for alert in body["alerts"]
    }
