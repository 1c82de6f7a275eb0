"""Writes deploy/grafana/dashboards. With `--check` it writes nothing and fails when a file is not as it would be."""

from __future__ import annotations

import sys

from scripts.grafana import DIRECTORY, files


def main() -> None:
    """The command."""
    stale = [name for name, text in files().items() if _held(name) != text]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"not as generated: {', '.join(stale)}; run `make generate`")
        return
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")


def _held(name: str) -> str | None:
    path = DIRECTORY / name
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    main()
