"""What a page holds on to."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import CDPSession, Page

_SHOWS = "as_of => document.body.dataset.rendered === as_of"


@dataclass(frozen=True)
class Held:
    """After a garbage collection: bytes of JavaScript, nodes of the document and those cut loose, listeners."""

    heap: int
    nodes: int
    listeners: int


async def held(session: CDPSession) -> Held:
    """What the page holds now. The session must have `HeapProfiler` and `Performance` enabled."""
    # What the first frees lets the second free more: finalizers and weak references run between.
    for _ in range(2):
        await session.send("HeapProfiler.collectGarbage")
    heap = await session.send("Runtime.getHeapUsage")
    told = {each["name"]: each["value"] for each in (await session.send("Performance.getMetrics"))["metrics"]}
    return Held(round(heap["usedSize"]), round(told["Nodes"]), round(told["JSEventListeners"]))


async def session_of(page: Page) -> CDPSession:
    """A session that `held` takes."""
    session = await page.context.new_cdp_session(page)
    for domain in ("HeapProfiler", "Performance", "Runtime"):
        await session.send(f"{domain}.enable")
    return session


async def shown(page: Page, as_of: str, seconds: float) -> None:
    """Returns when the page shows the snapshot of that moment."""
    await page.wait_for_function(_SHOWS, arg=as_of, timeout=seconds * 1000)
