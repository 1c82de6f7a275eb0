"""The `warroom` command: one subcommand a service or tool, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from services.common.errors import WarroomError

if TYPE_CHECKING:
    from services.common.service import Service
    from services.common.settings import Settings

# NumPy's linear algebra, which nobody here uses, would start a thread a core that spins and takes memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_COMMANDS = {
    "standalone": ("services.standalone.cli", "standalone"),
    "demo": ("services.standalone.cli", "demo"),
    "ingest": ("services.ingest.cli", "ingest"),
    "rewind": ("services.ingest.cli", "rewind"),
    "metrics": ("services.metrics.cli", "metrics"),
    "alerts": ("services.alerts.cli", "alerts"),
    "receivers": ("services.alerts.delivery.cli", "receivers"),
    "rules": ("services.alerts.rules.cli", "rules"),
    "replay": ("services.simulator.cli", "replay"),
    "rehearse": ("services.rehearsal.cli", "rehearse"),
    "review": ("services.review.cli", "review"),
    "simulate": ("services.simulator.cli", "simulate"),
    "dead-letters": ("services.letters.cli", "dead_letters"),
    "audit": ("services.audit.cli", "audit"),
    "privacy": ("services.privacy.cli", "privacy"),
    "keys": ("services.common.access.cli", "keys"),
    "plan": ("services.planning.cli", "plan"),
    "migrate": ("services.common.cli", "migrate"),
    "health": ("services.common.health", "health"),
    "doctor": ("services.doctor.cli", "doctor"),
    "schemas": ("schemas.cli", "schemas"),
}


class _LazyGroup(click.Group):
    """Imports a subcommand's module when it is called, so that `warroom replay` loads no server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name == "schemas":
            ctx.obj = self._documents()
        if cmd_name == "metrics":
            ctx.obj = self._companions
        if cmd_name == "doctor":
            ctx.obj = self._receivers()
        module, attribute = _COMMANDS[cmd_name]
        command: Any = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    @staticmethod
    def _documents() -> list[Any]:
        """What services have generated beside the schemas' own documents; `schemas/` knows no service."""
        from schemas.documents import Document
        from services.alerts.rules import schema as rules
        from services.standalone import document as api

        return [Document(rules.PATH, rules.rules_schema_text), Document(api.PATH, api.openapi_text)]

    @staticmethod
    def _receivers() -> Any:
        """Who is told of alerts; the doctor knows no service."""
        from services.alerts.delivery.trial import TriedReceivers

        return TriedReceivers()

    @staticmethod
    def _companions(settings: Settings) -> list[Service]:
        """What is served beside the numbers, by the same process and of them."""
        from services.review.service import ReviewService

        return [ReviewService(settings)]


@click.group(cls=_LazyGroup, help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
def warroom() -> None:
    """The root of all subcommands."""


def main() -> None:
    """Entry point: an error raised on purpose is one sentence on standard error and status 2."""
    try:
        warroom()
    except WarroomError as error:
        print(f"warroom: {error}", file=sys.stderr)
        sys.exit(2)
