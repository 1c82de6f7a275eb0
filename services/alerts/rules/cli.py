"""`warroom rules`: check rules, test them, and see when they would have told."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def rules() -> None:
    """Check and test alert rules."""


@rules.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Say everything that is wrong with each FILE or folder of rules; without any, with the shipped ones.

    A line a problem, `file:line:column: rule 'x': field: what is wrong`; status 1 if there is any.
    """
    from services.alerts.rules.load import check_path

    wrong = 0
    for file in files or (None,):
        checked = check_path(file)
        for problem in checked.problems:
            click.echo(str(problem))
        wrong += len(checked.problems)
        if not checked.problems:
            off = sum(not rule.enabled for rule in checked.rules)
            click.echo(f"{file or 'shipped rules'}: {len(checked.rules)} rules, {off} of them switched off; all right")
    if wrong:
        click.echo(f"{wrong} problem(s)", err=True)
        raise SystemExit(1)


@rules.command()
def schema() -> None:
    """Print the JSON Schema of a rules file, for editors."""
    from services.alerts.rules.schema import rules_schema_text

    click.echo(rules_schema_text(), nl=False)
