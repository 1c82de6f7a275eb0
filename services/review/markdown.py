"""The report as Markdown: CommonMark with GitHub's tables."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.review.document import Block, Chart, Document, Figure, Line, Paragraph, Points, Table, Tiles, queries_of
from services.review.figures import DASH

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$^=-])")


def as_markdown(document: Document, base: str = "") -> str:
    """The text. `base` is the address of the Warroom that the figures' links lead to, without a slash at its end.

    Charts are left to the HTML form: their figures stand in the tables.
    """
    out = [f"# {_plain(document.kicker)} · {_plain(document.title)}", ""]
    out += [f"- **{_plain(name)}**: {_line(line, base)}" for name, line in document.facts]
    for section in document.sections:
        out += ["", f'<a id="{section.name}"></a>', "", f"## {_plain(section.title)}"]
        for block in section.blocks:
            shown = _block(block, base)
            out += ["", *shown] if shown else []
    if document.notes:
        out += ["", f"## {_plain(document.notes_title)}"]
    for note in document.notes:
        out += ["", f'<a id="how-{note.name}"></a>', "", f"**{_plain(note.title)}.** {_plain(note.text)}", ""]
        out += [f"- <{query.url(base)}>" for query in note.queries]
    out += ["", f"## {_plain(document.definitions_title)}", ""]
    out += [f"- **{_plain(name)}**: {_plain(text)}" for name, text in document.definitions]
    out += ["", f"## {_plain(document.queries_title)}", ""]
    out += [f"- <{query.url(base)}>" for query in queries_of(document)]
    return "\n".join(out) + "\n"


def _block(block: Block, base: str) -> list[str]:
    if isinstance(block, Chart):
        return []
    if isinstance(block, Paragraph):
        return [f"{'> ' if block.remark else ''}{_line(block.line, base)}"]
    if isinstance(block, Points):
        return [f"{f'{n}.' if block.ordered else '-'} {_line(line, base)}" for n, line in enumerate(block.points, 1)]
    if isinstance(block, Tiles):
        return [
            f"- **{_plain(name)}**: {_line(value, base)}{' · ' if beside else ''}{_line(beside, base)}"
            for name, value, beside in block.tiles
        ]
    return _table(block, base)


def _table(table: Table, base: str) -> list[str]:
    rules = ["---" if number in table.texts else "---:" for number in range(len(table.columns))]
    rows = [" | ".join(_line(cell, base) for cell in row) for row in table.rows]
    head = " | ".join(_plain(column) for column in table.columns)
    return [f"| {row} |" for row in (head, " | ".join(rules), *rows)]


def _line(line: Line, base: str) -> str:
    return "".join(_figure(part, base) if isinstance(part, Figure) else _plain(part) for part in line)


def _figure(figure: Figure, base: str) -> str:
    if figure.query is not None:
        return f"[{_plain(figure.text)}](<{figure.query.url(base)}>)"
    if figure.text == DASH or not figure.note:
        return _plain(figure.text)
    return f"[{_plain(figure.text)}](#how-{figure.note})"


def _plain(text: str) -> str:
    """Text that no reader of Markdown takes for anything else: a campaign may be called anything."""
    one_line = " ".join(text.split()) if text.strip() else text
    lead = text[: len(text) - len(text.lstrip())] and " "
    tail = text[len(text.rstrip()) :] and " "
    escaped: Callable[[str], str] = lambda plain: _SPECIAL.sub(r"\\\1", plain)  # noqa: E731
    return f"{lead}{escaped(one_line)}{tail}" if text.strip() else " " * bool(text)
