"""The lease in the real store: one of those who ask for a term at the same moment has it, and every other sees that."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.alerts.lease.book import StoredLeases
from services.alerts.lease.protocol import Lease, Standing
from services.common.store import Store, StorePool


@pytest.fixture(autouse=True)
def _no_leases(store: Store) -> None:
    for table in ("alert_leases", "alert_lease_renewals"):
        store.command(f"TRUNCATE TABLE {table}")


def test_one_of_those_who_ask_at_once_has_the_term(store: Store) -> None:
    instances, terms = 5, 6
    barrier = threading.Barrier(instances)

    def ask(number: int) -> list[Standing | None]:
        async def all_terms() -> list[Standing | None]:
            pool = StorePool(store, threads=1, name="test")
            book = StoredLeases(pool)
            seen = []
            for term in range(1, terms + 1):
                await asyncio.to_thread(barrier.wait, 60)
                await book.take(term, f"instance-{number}")
                seen.append(await book.read())
                await asyncio.to_thread(barrier.wait, 60)
            await pool.close()
            return seen

        return asyncio.run(all_terms())

    with ThreadPoolExecutor(instances) as threads:
        views = list(threads.map(ask, range(instances)))
    for seen in zip(*views, strict=True):
        assert len({(standing.term, standing.holder) for standing in seen if standing}) == 1
    assert [standing and standing.term for standing in views[0]] == list(range(1, terms + 1))
    assert store.query("SELECT count() AS rows FROM alert_leases") == [{"rows": terms}]


def held(lease: Lease) -> bool:
    return lease.held


async def test_a_lease_is_renewed_given_back_and_taken_over(store: Store) -> None:
    pool = StorePool(store, threads=1, name="test")
    elapsed = {"a": 0, "b": 50_000}
    first = Lease(StoredLeases(pool), "a", lambda: elapsed["a"], ttl_ms=60_000)
    second = Lease(StoredLeases(pool), "b", lambda: elapsed["b"], ttl_ms=60_000)
    assert await first.step()
    assert not await second.step()
    elapsed["a"] += 40_000
    assert await first.step()
    elapsed["a"] += 52_000
    assert held(first)
    elapsed["a"] += 1_500
    assert not held(first)
    assert await first.step()
    await first.release()
    assert not held(first)
    assert await second.step()
    assert not await first.step()
    assert (first.term, second.term) == (1, 2)
    assert [await second.confirm(1), await second.confirm(2)] == [False, True]
    # Who is alone in the store need not wait for a holder that cannot be there.
    third = Lease(StoredLeases(pool), "c", lambda: 0, ttl_ms=60_000, alone=True)
    assert await third.step()
    assert third.term == 3
    assert not await second.step()
    await pool.close()


async def test_a_lease_that_is_not_renewed_is_taken_by_the_clock_of_the_store(store: Store) -> None:
    pool = StorePool(store, threads=1, name="test")
    first = Lease(StoredLeases(pool), "a", lambda: 0, ttl_ms=60_000)
    patient = Lease(StoredLeases(pool), "b", lambda: 0, ttl_ms=60_000)
    second = Lease(StoredLeases(pool), "c", lambda: 0, ttl_ms=300)
    assert await first.step()
    assert not await patient.step()
    # The store's clock is nobody's to turn.
    async with asyncio.timeout(60):
        while not await second.step():  # noqa: ASYNC110 - what is waited for is a moment of the store's clock
            await asyncio.sleep(0.05)
    assert not await patient.step()
    assert not await first.step()
    assert not first.held
    await pool.close()
