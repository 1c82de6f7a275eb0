"""`deploy/compose.yaml` as compose reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import click
from pydantic import SecretStr

from services.cli import warroom
from services.common.settings import Settings
from tests.support.gotools import build

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
GROUP = "4321"


@cache
def project(**given: str) -> dict[str, Any]:
    """The whole project, profiles included; `given` stands in deploy/.env.

    Raises `NotToBeHad`, and `AssertionError` with what compose says of it.
    """
    env = {**os.environ, "WARROOM_SECRETS_GID": GROUP, **given}
    done = subprocess.run(
        [build("compose"), "-profile=demo", COMPOSE], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    for service in found["services"].values():
        # What is handed on where it is set, and is not: a container is not given it.
        environment = service.get("environment") or {}
        service["environment"] = {name: value for name, value in environment.items() if value is not None}
    return found


def services() -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = project()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """Those that run an image of `deploy/Dockerfile`."""
    return {name: service for name, service in services().items() if service["image"].startswith("warroom")}


def networks_of(name: str) -> set[str]:
    """The networks that a service is on."""
    return set(services()[name]["networks"])


def named_hosts(service: Mapping[str, Any]) -> Iterator[str]:
    """The other services that one's environment, command and mounted files speak of with a port."""
    texts = [*map(str, (service.get("environment") or {}).values()), *(service.get("command") or [])]
    texts += [Path(volume["source"]).read_text() for volume in mounted_files(service)]
    for text in texts:
        for host in re.findall(r"(?<![\w.-])([a-z]+):\d{4,5}\b", text):
            if host in services():
                yield host


def mounted_files(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of the repository that a service is given."""
    return [
        volume
        for volume in service.get("volumes") or []
        if volume["type"] == "bind" and Path(volume["source"]).is_file()
    ]


def known_settings() -> set[str]:
    """Names of environment variables that Warroom reads."""
    names = set()
    for name, field in Settings.model_fields.items():
        names.add(f"WARROOM_{name.upper()}")
        if SecretStr in {field.annotation, *get_args(field.annotation)} - {NoneType}:
            names.add(f"WARROOM_{name.upper()}_FILE")
    return names


def check_command(arguments: list[str]) -> None:
    """Raises a `click.ClickException` for what is no subcommand of `warroom`, or an option that it has not."""
    command: click.Command = warroom
    context = click.Context(warroom, info_name="warroom")
    left = list(arguments)
    while isinstance(command, click.Group):
        found = command.get_command(context, left[0])
        if found is None:
            raise click.UsageError(f"no such command: {left[0]}")
        command = found
        left = left[1:]
    command.make_context(command.name, left, parent=context)
