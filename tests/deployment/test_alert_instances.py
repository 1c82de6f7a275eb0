"""Two processes of `warroom alerts` on one store: one of them pages, whichever is stopped, paused or killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.clock import wall_clock
from services.common.settings import Settings
from tests.alerts.receiver import Receiver, receiving
from tests.alerts.shop import Shop
from tests.support.clickhouse_http.endpoint import Endpoint
from tests.support.deployment import Deployment, deployment, environment
from tests.support.war_room import wait_until

pytestmark = pytest.mark.system

TAKEOVER_SECONDS = 60.0
"""About ten are what it takes on a machine that has nothing else to do."""


def test_one_pages_and_the_other_takes_over(endpoint: Endpoint, tmp_path: Path) -> None:
    store = endpoint.store()
    shop = Shop(store, {})

    def now() -> None:
        shop.now = wall_clock()
        shop.report()

    def heard(receiver: Receiver, count: int) -> None:
        def enough() -> bool:
            now()
            return len(receiver.bodies) >= count

        wait_until(enough, TAKEOVER_SECONDS, f"notice {count}")
        assert len(receiver.bodies) == count

    now()
    for item in ("sku-1", "sku-2"):
        shop.set_stock(item, 100)
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    with receiving() as receiver:
        env = environment(Settings(), endpoint.url) | {"WARROOM_ALERT_WEBHOOK_URL": receiver.url}
        with deployment(folders[0], env) as first, deployment(folders[1], env) as second:
            for one in (first, second):
                one.start(["alerts"])
            holder, other = _by_lease(first, second)

            now()
            shop.set_stock("sku-1", 0)
            heard(receiver, 1)
            holder.pause("alerts")
            now()
            shop.set_stock("sku-1", 60)
            shop.set_stock("sku-2", 0)
            heard(receiver, 3)
            # Who wakes up has the same in mind, and tells nobody.
            holder.resume("alerts")
            wait_until(lambda: holder.trouble("alerts") is None, TAKEOVER_SECONDS, "the paused one standing by")
            assert _by_lease(holder, other) == (other, holder)

            other.kill("alerts")
            now()
            shop.set_stock("sku-2", 70)
            heard(receiver, 4)
            wait_until(lambda: holder.metric("alerts", "warroom_alert_lease_held") == 1, TAKEOVER_SECONDS, "the lease")
            holder.stop(["alerts"])
        told = [(body["alerts"][0]["labels"]["item_id"], body["status"]) for body in receiver.bodies]
    store.close()
    assert told[0] == ("sku-1", "firing")
    assert sorted(told[1:3]) == [("sku-1", "resolved"), ("sku-2", "firing")]
    assert told[3:] == [("sku-2", "resolved")]


def _by_lease(first: Deployment, second: Deployment) -> tuple[Deployment, Deployment]:
    """The one that holds the lease, and the other."""
    held = [one.metric("alerts", "warroom_alert_lease_held") for one in (first, second)]
    assert sorted(held) == [0, 1]
    return (first, second) if held[0] else (second, first)
