"""Take a picture of the page of a running war room.

Waits until the page shows numbers that are live, so that a picture never shows a half-built screen.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SHOWS_NUMBERS = """() =>
  document.body.dataset.rendered !== undefined && ["fresh", "late"].includes(document.documentElement.dataset.freshness)
"""
# A second snapshot: by then every panel was drawn at its final size and no bar is on its way any more.
SHOWS_THE_NEXT = "before => document.body.dataset.rendered !== before"


class ScreenshotError(Exception):
    """No picture could be taken; the message says why."""


def find_chromium() -> str:
    """Debian's Chromium. Raises ScreenshotError when there is none."""
    chromium = Path("/usr/bin/chromium")
    found = str(chromium) if chromium.is_file() else shutil.which("chromium")
    if found is None:
        raise ScreenshotError(
            "Chromium is not installed: there is no /usr/bin/chromium and no `chromium` on the path "
            "(on Debian: apt-get install chromium)"
        )
    return found


def wait_for_numbers(page: Page, url: str, wait_s: float) -> None:
    """Open the page and wait until it shows live numbers. Raises ScreenshotError after `wait_s` seconds."""
    timeout_ms = wait_s * 1000
    try:
        page.goto(url, timeout=timeout_ms, wait_until="domcontentloaded")
    except PlaywrightError as error:
        raise ScreenshotError(f"{url} does not answer: {error.message.splitlines()[0]}") from error
    try:
        page.wait_for_function(SHOWS_NUMBERS, timeout=timeout_ms)
        before = page.evaluate("document.body.dataset.rendered")
        page.wait_for_function(SHOWS_THE_NEXT, arg=before, timeout=timeout_ms)
    except PlaywrightTimeout as error:
        says = page.inner_text("body").strip().splitlines()
        raise ScreenshotError(
            f"{url} showed no live numbers within {wait_s:g} s; it says: {' | '.join(says[:3]) or 'nothing'}"
        ) from error


def take(url: str, out: Path, width: int, height: int, wait_s: float) -> None:
    """Write a picture of `url` to `out`. Raises ScreenshotError."""
    executable = find_chromium()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        except PlaywrightError as error:
            raise ScreenshotError(f"{executable} did not start: {error.message.splitlines()[0]}") from error
        try:
            page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            wait_for_numbers(page, url, wait_s)
            out.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=out)
        finally:
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Take a picture of the war room's page.")
    parser.add_argument("--url", default="http://127.0.0.1:8080/", help="the page (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("docs/images/war-room.png"), help="default: %(default)s")
    parser.add_argument("--wait-seconds", type=float, default=60.0, help="for live numbers (default: %(default)s)")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    parser.add_argument("--campaign", help="a campaign's id; the newest active one by default")
    arguments = parser.parse_args()
    query = {"lang": arguments.lang} | ({"campaign": arguments.campaign} if arguments.campaign else {})
    url = f"{arguments.url}{'&' if '?' in arguments.url else '?'}{urlencode(query)}"
    try:
        take(url, arguments.out, arguments.width, arguments.height, arguments.wait_seconds)
    except ScreenshotError as error:
        print(f"screenshot: {error}", file=sys.stderr)
        return 1
    print(f"wrote {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
