"""What a child process of the benchmark is told, and how it is started."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import msgspec

from services.common.settings import Settings

CHILD_SECONDS = 600


class Task(msgspec.Struct, frozen=True):
    """A backlog to work off, and a smaller one that goes first and is not counted."""

    bootstrap_servers: str
    broker_pid: int
    prefix: str
    events: int
    warm_prefix: str
    warm_events: int
    directory: str
    """Absolute, and empty: the child keeps its store there."""
    group: str
    warm_group: str

    def settings(self, **changes: Any) -> Settings:
        """Settings of the measured backlog."""
        return Settings(
            kafka_bootstrap_servers=self.bootstrap_servers,
            topic_prefix=self.prefix,
            consumer_group=self.group,
            **changes,
        )

    def warm_settings(self, **changes: Any) -> Settings:
        """Settings of the backlog that goes first."""
        return Settings(
            kafka_bootstrap_servers=self.bootstrap_servers,
            topic_prefix=self.warm_prefix,
            consumer_group=self.warm_group,
            **changes,
        )


def hush() -> None:
    """Keeps aiokafka from telling of every rebalance and retry between the figures."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def command(kind: str, task: Task) -> list[str]:
    """The command line of a child: `kind` is a module beside this one."""
    return [sys.executable, "-m", f"tests.bench.{kind}", msgspec.json.encode(task).decode()]


def read_task() -> Task:
    """The task of this process."""
    hush()
    return msgspec.json.decode(sys.argv[1], type=Task)


def run(kind: str, task: Task) -> dict[str, Any]:
    """Runs a child to its end and returns its figures. Raises when it fails or takes longer than ten minutes."""
    finished = subprocess.run(command(kind, task), stdout=subprocess.PIPE, timeout=CHILD_SECONDS, check=True)
    result: dict[str, Any] = msgspec.json.decode(finished.stdout)
    return result
