"""`deploy/secrets.sh`, run into a directory of a test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.deployment.images.project import DEPLOY


def run_script(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it; secrets go into `directory`/secrets."""
    env = {
        **os.environ,
        "WARROOM_SECRETS_DIR": str(directory / "secrets"),
        "WARROOM_COMPOSE_ENV": str(directory / "env"),
    }
    return subprocess.run(
        ["sh", str(DEPLOY / "secrets.sh"), *arguments],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def made_secrets(directory: Path) -> Path:
    """The folder with all of them."""
    done = run_script(directory)
    assert done.returncode == 0, done.stderr
    return directory / "secrets"
