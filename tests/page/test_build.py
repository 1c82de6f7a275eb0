"""The page's own suite, run with whatever Node.js `make setup` builds it with, and what the build leaves."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys

import pytest

from scripts.build_page import WEB

LARGEST_GZIP_BYTES = 400_000
# Names of XML's vocabularies, which nobody fetches.
VOCABULARIES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink", "http://www.w3.org/1999/xhtml"}


@pytest.mark.parametrize("script", ["check", "test", "types:check"])
def test_npm_script_passes(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/build_page.py", "--run", script],
        cwd=WEB.parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_lock_names_no_registry() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text()


class TestBuiltPage:
    """`make setup` has built it by the time that tests run."""

    def test_everything_that_runs_is_served_from_here(self) -> None:
        index = (WEB / "dist" / "index.html").read_text()
        assert "Content-Security-Policy" in index
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\son\w+=", index)
        addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"", index)
        assert addresses
        assert all(address.startswith("./") for address in addresses)

    def test_no_foreign_address_stands_in_it(self) -> None:
        """Catches: a font, a map or a library that comes from elsewhere once the page runs."""
        texts = [
            path.read_text() for path in (WEB / "dist").rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"}
        ]
        assert texts
        found = {
            address for text in texts for address in re.findall(r"(?:https?|wss?):?//[\w.-]+\.[^\s\"'`)<>]*", text)
        }
        assert found <= VOCABULARIES
        assert not [text for text in texts if re.search(r"(?:url\(|src=|href=)[\"']?//", text)]

    def test_is_small_enough_for_a_slow_line(self) -> None:
        files = [path for path in (WEB / "dist").rglob("*") if path.is_file()]
        assert sum(len(gzip.compress(path.read_bytes())) for path in files) < LARGEST_GZIP_BYTES
