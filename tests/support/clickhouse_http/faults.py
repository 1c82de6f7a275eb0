"""What the endpoint is told to do wrong."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "stall",
    "slow_request",
    "status",
    "error",
    "late_error",
    "answer_lost",
    "cut_before",
    "cut_request",
    "cut_answer",
]
"""
- `stall`: nothing happens for `seconds`, whether the client waits or not; then the statement runs as if nothing were.
- `slow_request`: the request's body is not read for `seconds`; then everything is well.
- `status`: a proxy's answer: HTTP `status` and a page of text, no ClickHouse code. The statement does not run.
- `error`: ClickHouse's exception of `code`. The statement does not run.
- `late_error`: 200 OK, half of the answer, then ClickHouse's exception of `code` in the body.
- `answer_lost`: the statement runs, then the connection is cut without an answer.
- `cut_before`: the request is read, the connection is cut, the statement does not run.
- `cut_request`: the connection is cut when half of the request's body is read.
- `cut_answer`: the statement runs, the connection is cut in the middle of the answer's body.
"""
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(slots=True)
class Fault:
    """One thing to do wrong, to the next `times` requests (None: to all) whose SQL matches the pattern `on`."""

    kind: Kind
    on: str = "(?i)^INSERT"
    times: int | None = 1
    seconds: float = 0.0
    status: int = 500
    code: int = 241
    message: str = "told to fail"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}")


class Faults:
    """The faults in force, for many threads. The first that matches is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._cleared = threading.Event()
        self.counts: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        """In force from the next request on."""
        with self._lock:
            self._cleared.clear()
            self._faults.append(fault)

    def clear(self) -> None:
        """No fault is in force, and who is stalled goes on."""
        with self._lock:
            self._faults.clear()
            self._cleared.set()

    def take(self, sql: str) -> Fault | None:
        """What to do wrong to this request."""
        with self._lock:
            for fault in self._faults:
                if re.search(fault.on, sql):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    self.counts[fault.kind] += 1
                    return fault
        return None

    def stall(self, seconds: float) -> None:
        """Blocks for so long, or until the faults are cleared."""
        self._cleared.wait(seconds)
