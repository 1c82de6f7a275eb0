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


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--run", "name", default="", help="Only tests whose name holds this.")
def test(files: tuple[Path, ...], name: str) -> None:
    """Run the rule tests of each FILE; status 1 if any fails, with what was expected and what was told."""
    from services.alerts.ruletest.load import read_tests, rules_of
    from services.alerts.ruletest.run import run_test

    passed, failed = 0, 0
    for path in files:
        file, problems = read_tests(path)
        judged, more = ([], []) if file is None else rules_of(file, path.parent)
        problems += more
        if problems or file is None:
            for problem in problems:
                click.echo(str(problem))
            failed += 1
            continue
        for one in file.tests:
            if name not in one.name:
                continue
            failures = run_test(one, judged)
            for line in (line for failure in failures for line in failure.lines()):
                click.echo(f"{path}: {line}")
            failed += bool(failures)
            passed += not failures
    click.echo(f"{passed} passed, {failed} failed")
    if failed or not passed:
        raise SystemExit(1)


@rules.command()
@click.option("--from", "start", required=True, help="First moment, RFC 3339 with an offset.")
@click.option("--to", "end", default=None, help="End of the period (excluded).  [default: now]")
@click.option("--campaign", default=None, help="Only this campaign.  [default: all with events in the period]")
@click.option(
    "--rules",
    "file",
    type=click.Path(exists=True, path_type=Path),
    help="File or folder of rules.  [default: WARROOM_RULES_FILE, or the shipped ones]",
)
@click.option("--step", default="5s", show_default=True, help="Time between two looks; the service looks every second.")
@click.option("--json", "as_json", is_flag=True, help="Print the incidents as JSON.")
def backtest(start: str, end: str | None, campaign: str | None, file: Path | None, step: str, as_json: bool) -> None:
    """Say when rules would have fired on what is in the store of WARROOM_CLICKHOUSE_URL, and how many pages that is.

    Late events are seen at their event time, and metrics when their minute is over. A `chdb://` directory can be read
    while nobody else has it open.
    """
    from services.alerts.backtest.cli import print_backtest

    print_backtest(start, end, campaign, file, step, as_json=as_json)
