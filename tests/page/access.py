"""What axe-core finds against those who do not see, or not well, or use no mouse."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from scripts.build_page import WEB

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


async def offences(page: Page) -> list[str]:
    """A line for each element that breaks a rule whose breach is serious or critical."""
    await page.evaluate(AXE.read_text())
    found: dict[str, Any] = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:200]} {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
