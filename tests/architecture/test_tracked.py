"""What may never be committed: addresses of package registries, paths of one machine, huge modules."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import ROOT, tracked_files

# In pieces, so that this file does not hold what it forbids.
FORBIDDEN = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "npmmirror", "com"),
        ("registry", "yarnpkg", "com"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("docker", "io"),
    )
] + ["/" + "work/", "../" + "shared", "index" + "-url", "/" + "root/", "/" + "Users/"]

LONGEST_MODULE = 450
LONGEST_TEST = 650


def texts() -> dict[str, str]:
    """Every tracked text file by its name."""
    found = {}
    for path in tracked_files():
        try:
            found[str(path)] = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_no_tracked_file_mentions(forbidden: str) -> None:
    # `--no-emit-index-url` is what keeps the address out of the lock.
    pattern = re.compile(rf"(?<!--no-emit-){re.escape(forbidden)}")
    assert [name for name, text in texts().items() if pattern.search(text)] == []


def test_modules_stay_readable() -> None:
    long = {
        name: lines
        for name, text in texts().items()
        if name.endswith(".py")
        and (lines := text.count("\n")) > (LONGEST_TEST if name.startswith("tests/") else LONGEST_MODULE)
    }
    assert long == {}
