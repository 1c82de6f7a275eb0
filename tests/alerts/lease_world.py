"""A world of instances, a store and a receiver, in which whatever can go wrong on the way goes wrong on demand.

The lease is the real one. Each instance runs two coroutines, as the service does: one keeps the lease, one judges,
records and delivers. Every call of the store is a point at which the world decides what happens next.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from services.alerts.lease.protocol import TTL_MS, Lease, Standing
from services.common.errors import StoreUnavailable

How = Literal["go", "apply", "lose", "drop", "late"]
"""What becomes of a call: answered; done and not yet answered; done and the answer lost; lost; lost and done later."""

Key = tuple[str, int]
"""An alert's id and 1 for its beginning, 2 for its end."""


@dataclass
class Call:
    """One call of the store, or `rest` until the world lets the instance go on."""

    name: str
    arguments: tuple[Any, ...] = ()
    done: bool = False
    answer: Any = None

    def __await__(self) -> Generator[Call, Any, Any]:
        return (yield self)


class Book:
    """Leases, for the real `Lease`."""

    async def read(self) -> Standing | None:
        standing: Standing | None = await Call("read")
        return standing

    async def take(self, term: int, holder: str) -> None:
        await Call("take", (term, holder))

    async def renew(self, term: int, holder: str) -> None:
        await Call("renew", (term,))

    async def release(self, term: int, holder: str) -> None:
        await Call("release", (term,))


@dataclass
class Server:
    """The store: what ClickHouse does with each call, at its own time."""

    now: int = 1_900_000_000_000
    terms: dict[int, tuple[str, int]] = field(default_factory=dict)
    renewed: dict[int, int] = field(default_factory=dict)
    rows: dict[tuple[int, Key], int] = field(default_factory=dict)
    """By term and key: when it was recorded."""
    delivered: set[Key] = field(default_factory=set)

    def do(self, call: Call) -> Any:
        """Does it once."""
        if not call.done:
            call.done = True
            # No two calls of one instance fall into one millisecond.
            self.now += 1
            call.answer = getattr(self, f"_{call.name}")(*call.arguments)
        return call.answer

    def valid(self) -> list[Key]:
        """What was recorded in its term, in order."""
        return [
            key for (term, key), at in self.rows.items() if term + 1 not in self.terms or at < self.terms[term + 1][1]
        ]

    def _read(self) -> Standing | None:
        if not self.terms:
            return None
        last = max(self.terms)
        earlier = [self._alive(term) for term in self.terms if term < last]
        return Standing(last, self.terms[last][0], self._alive(last), False, max(earlier, default=0), self.now)

    def _alive(self, term: int) -> int:
        return max(self.terms[term][1], self.renewed.get(term, 0))

    def _take(self, term: int, holder: str) -> None:
        self.terms.setdefault(term, (holder, self.now))

    def _renew(self, term: int) -> None:
        self.renewed[term] = self.now

    def _load(self) -> tuple[list[Key], list[Key]]:
        rows = self.valid()
        return rows, [key for key in rows if key not in self.delivered]

    def _record(self, term: int, key: Key) -> None:
        self.rows.setdefault((term, key), self.now)

    def _deliver(self, key: Key) -> None:
        self.delivered.add(key)

    def _rest(self) -> None:
        """Nothing."""


class Instance:
    """One process; its clock shows another time than the server's, and runs at another rate."""

    def __init__(self, world: World, name: str, offset: int, rate: float) -> None:
        self.world = world
        self.name = name
        self.lease = Lease(Book(), name, lambda: offset + int(world.server.now * rate))
        self.begun = 0
        self.alert: str | None = None
        self.queue: list[Key] = []
        self.born = 0
        self.unsure = False
        self.tasks: list[Coroutine[Call, Any, None]] = [self._keep(), self._watch()]
        self.pending = [task.send(None) for task in self.tasks]

    @property
    def acting(self) -> bool:
        return self.lease.held and self.lease.term == self.begun

    def go(self, number: int, how: How) -> None:
        """What becomes of the call that a coroutine waits for."""
        call, task = self.pending[number], self.tasks[number]
        if call.name == "rest" or how == "go":
            answer = self.world.server.do(call)
            if call.name == "deliver":
                self.world.unfinished.discard((self.name, call.arguments[0]))
            self.pending[number] = task.send(answer)
            return
        if how in ("apply", "lose"):
            self.world.server.do(call)
        if how == "late" and not call.done:
            self.world.late.append(call)
        if how != "apply":
            self.pending[number] = task.throw(StoreUnavailable("told to fail"))

    async def _keep(self) -> None:
        while True:
            with suppress(StoreUnavailable):
                await self.lease.step()
            await Call("rest")

    async def _watch(self) -> None:
        while True:
            try:
                await self._turn()
            except StoreUnavailable:
                self.unsure = True
            await Call("rest")

    async def _turn(self) -> None:
        term = self.lease.term
        if self.lease.held and (term != self.begun or self.unsure):
            rows, self.queue = await Call("load")
            ended = {alert for alert, number in rows if number == 2}
            self.alert = next((alert for alert, number in rows if number == 1 and alert not in ended), None)
            self.unsure = False
            self.begun = term
        if not self.acting:
            return
        bad = self.world.bad
        if bad != (self.alert is not None):
            self.born += 1
            key = (f"{self.name}-{self.born}", 1) if bad else (str(self.alert), 2)
            # The service may be paused here, after its last look at the clock.
            await Call("record", (self.begun, key))
            if not await self.lease.confirm(self.begun):
                raise StoreUnavailable("another instance has taken a later term")
            self.alert = key[0] if bad else None
            self.queue.append(key)
        while self.queue and self.acting:
            key = self.queue[0]
            self.world.post(self, key)
            await Call("deliver", (key,))
            self.queue = [other for other in self.queue if other != key]


class World:
    """Time, instances and what the receiver has heard."""

    def __init__(self, clocks: list[tuple[int, float]]) -> None:
        self.server = Server()
        self.bad = False
        self.heard: list[Key] = []
        self.late: list[Call] = []
        self.unfinished: set[tuple[str, Key]] = set()
        self._clocks = clocks
        self._made = 0
        self.instances = [self._instance(number) for number in range(len(clocks))]

    def _instance(self, number: int) -> Instance:
        self._made += 1
        return Instance(self, f"{number}.{self._made}", *self._clocks[number])

    def kill(self, number: int) -> None:
        """A process dies with all that it had in mind, and another one starts in its place."""
        old = self.instances[number]
        for task in old.tasks:
            task.close()
        self.instances[number] = self._instance(number)

    def post(self, instance: Instance, key: Key) -> None:
        """The receiver hears of it: again only when who told it first never learnt that its telling was recorded."""
        assert key not in self.heard or key in {key for _, key in self.unfinished}
        self.heard.append(key)
        self.unfinished.add((instance.name, key))

    def pass_time(self, ms: int) -> None:
        """By the server's clock."""
        self.server.now += ms

    def settle(self) -> None:
        """Everything works for a while."""
        for call in self.late:
            self.server.do(call)
        for _ in range(3 * TTL_MS // 500):
            self.pass_time(500)
            for instance in self.instances:
                for _ in range(4):
                    for number in range(2):
                        instance.go(number, "go")
                        self.check()

    def check(self) -> None:
        """At no moment is it the turn of two."""
        holders = [instance.name for instance in self.instances if instance.lease.held]
        assert len(holders) <= 1, holders

    def close(self) -> None:
        for instance in self.instances:
            for task in instance.tasks:
                task.close()
