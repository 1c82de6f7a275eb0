"""Writes `services/planning/costs.json` from a `bench.json`: `python -m scripts.costs bench.json`."""

from __future__ import annotations

import sys
from pathlib import Path

from services.planning.costs import as_file, of_bench

_TARGET = Path(__file__).resolve().parents[1] / "services" / "planning" / "costs.json"

if __name__ == "__main__":
    _TARGET.write_bytes(as_file(of_bench(Path(sys.argv[1]))))
