"""The report as one HTML page that needs nothing else: no script, its style within it, its charts drawn."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path

from services.review.document import (
    Block,
    Chart,
    Document,
    Figure,
    Line,
    Paragraph,
    Points,
    Table,
    Tiles,
    queries_of,
)
from services.review.figures import DASH

_LANGUAGES = {"en": "en", "zh": "zh-CN"}
_SIGNS = {"good": "▲", "bad": "▼"}


@cache
def style() -> str:
    """The style sheet that stands in every report."""
    return (Path(__file__).parent / "review.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """The content security policy: nothing is loaded, nothing runs, and of styles only ours is let in."""
    digest = b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def as_html(document: Document, base: str = "", other: str = "") -> str:
    """The page. `base` as in `as_markdown`; `other` is where the report in the other language is, if anywhere."""
    switch = f'<a class="switch" href="{escape(other)}">{escape(document.other_language)}</a>' if other else ""
    contents = "".join(f'<li><a href="#{s.name}">{escape(s.title)}</a></li>' for s in document.sections)
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{_line(line, base)}</dd></div>" for name, line in document.facts)
    body = "".join(
        f'<section id="{section.name}"><h2>{escape(section.title)}</h2>'
        f"{''.join(_block(block, base) for block in section.blocks)}</section>"
        for section in document.sections
    )
    title = f"{document.kicker} · {document.title}"
    return (
        f'<!doctype html>\n<html lang="{_LANGUAGES[document.language]}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy())}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{style()}</style></head><body>"
        f'<header><p class="kicker">{escape(document.kicker)}{switch}</p><h1>{escape(document.title)}</h1>'
        f'<dl class="facts">{facts}</dl></header>'
        f'<nav aria-label="{escape(document.contents_title)}"><ol>{contents}</ol></nav>'
        f"<main>{body}{_notes(document, base)}</main></body></html>\n"
    )


def _block(block: Block, base: str) -> str:
    if isinstance(block, Chart):
        return f"<figure>{block.svg}</figure>"
    if isinstance(block, Paragraph):
        kind = ' class="remark"' if block.remark else ""
        return f"<p{kind}>{_line(block.line, base)}</p>"
    if isinstance(block, Points):
        name = "ol" if block.ordered else "ul"
        return f"<{name}>{''.join(f'<li>{_line(line, base)}</li>' for line in block.points)}</{name}>"
    if isinstance(block, Tiles):
        return '<div class="tiles">' + "".join(_tile(*tile, base) for tile in block.tiles) + "</div>"
    return _table(block, base)


def _tile(name: str, value: Line, beside: Line, base: str) -> str:
    return (
        f'<div class="tile"><p class="name">{escape(name)}</p><p class="value">{_line(value, base)}</p>'
        f'<p class="beside">{_line(beside, base)}</p></div>'
    )


def _table(table: Table, base: str) -> str:
    def kind(number: int) -> str:
        return "" if number in table.texts else ' class="n"'

    head = "".join(f'<th scope="col"{kind(n)}>{escape(column)}</th>' for n, column in enumerate(table.columns))
    rows = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row"{kind(n)}>{_line(cell, base)}</th>' if n == 0 else f"<td{kind(n)}>{_line(cell, base)}</td>"
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in table.rows
    )
    # Reachable by the keyboard: a wide table scrolls within itself.
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(table.caption)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _notes(document: Document, base: str) -> str:
    notes = "".join(
        f'<div class="note" id="how-{note.name}"><h3>{escape(note.title)}</h3><p>{escape(note.text)}</p>'
        f"<ul>{''.join(_address(query.url(base)) for query in note.queries)}</ul></div>"
        for note in document.notes
    )
    definitions = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in document.definitions
    )
    queries = "".join(_address(query.url(base)) for query in queries_of(document))
    return (
        f'<section id="notes" class="small"><h2>{escape(document.notes_title)}</h2>{notes}</section>'
        f'<section id="definitions" class="small"><h2>{escape(document.definitions_title)}</h2>'
        f'<dl class="facts">{definitions}</dl></section>'
        f'<section id="queries" class="small"><h2>{escape(document.queries_title)}</h2><ul>{queries}</ul></section>'
    )


def _address(url: str) -> str:
    return f'<li><a class="address" href="{escape(url)}">{escape(url)}</a></li>'


def _line(line: Line, base: str) -> str:
    return "".join(_figure(part, base) if isinstance(part, Figure) else escape(part) for part in line)


def _figure(figure: Figure, base: str) -> str:
    tone = f' <span class="{figure.tone}">{_SIGNS[figure.tone]}</span>' if figure.tone else ""
    if figure.text == DASH and figure.query is None:
        return DASH
    if figure.query is not None:
        at, unit = escape(figure.at), escape(figure.unit)
        link = f'<a class="f" href="{escape(figure.query.url(base))}" data-at="{at}" data-unit="{unit}">'
    else:
        link = f'<a class="f" href="#how-{figure.note}" data-unit="{escape(figure.unit)}">'
    return f"{link}{escape(figure.text)}</a>{tone}"
