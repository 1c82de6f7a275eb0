"""`warroom review`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from services.common.access.client import credentials
from services.common.errors import ConfigurationError
from services.common.settings import load_settings


@click.command()
@click.argument("campaign_id")
@click.option("--api", default=None, help="Address of a running Warroom.  [default: WARROOM_EXTERNAL_URL]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    help="Folder for the two files; created if absent.",
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
def review(campaign_id: str, api: str | None, out: Path, lang: str) -> None:
    """Writes the report on a campaign as HTML and as Markdown, from a running Warroom."""
    from schemas.campaigns import CAMPAIGN_ID
    from services.review.answers import HttpAnswers
    from services.review.compose import compose
    from services.review.html import as_html
    from services.review.markdown import as_markdown
    from services.review.read import Readings, read

    settings = load_settings()
    base = (api or settings.external_url).rstrip("/")
    if re.fullmatch(CAMPAIGN_ID, campaign_id) is None:
        raise ConfigurationError(f"{campaign_id!r} is no campaign id: 1 to 64 of A-Z a-z 0-9 _ . -")
    if not base.startswith(("http://", "https://")):
        raise ConfigurationError(f"--api {base!r} is no address; it begins with http:// or https://")

    async def ask() -> Readings:
        async with HttpAnswers(base, headers=credentials(settings)) as answers:
            return await read(answers, campaign_id)

    readings = asyncio.run(ask())
    document = compose(readings, "zh" if lang == "zh" else "en")
    # A campaign may be named `..`; with something before and behind it that is a name like any other.
    name = f"review-{campaign_id}-{lang}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        for suffix, text in ((".html", as_html(document, base)), (".md", as_markdown(document, base))):
            path = out / f"{name}{suffix}"
            path.write_text(text, encoding="utf-8")
            click.echo(str(path))
    except OSError as error:
        raise ConfigurationError(f"{error.filename or out} cannot be written: {error.strerror}") from error
    if readings.alerts.missing is not None:
        click.echo(f"Without alerts: {readings.alerts.missing}", err=True)
