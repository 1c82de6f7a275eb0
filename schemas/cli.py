"""`warroom schemas`: the generated documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from schemas.documents import DOCUMENTS, ROOT, Document


@click.group()
def schemas() -> None:
    """Write or check the documents that are generated from the code: the schemas' own, and those of the context."""


_root = click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT,
    help="Folder that the documents are under; by default the repository.",
)


@schemas.command()
@_root
@click.pass_obj
def generate(more: Sequence[Document] | None, root: Path) -> None:
    """Write every generated document that has changed, and name it."""
    for document in (*DOCUMENTS, *(more or ())):
        if document.is_stale(root):
            document.write(root)
            click.echo(document.path)


@schemas.command()
@_root
@click.pass_obj
def check(more: Sequence[Document] | None, root: Path) -> None:
    """Name the documents that are stale; status 1 if there are any."""
    stale = [document.path for document in (*DOCUMENTS, *(more or ())) if document.is_stale(root)]
    for path in stale:
        click.echo(f"{path} is stale; run `make generate`", err=True)
    if stale:
        raise SystemExit(1)
