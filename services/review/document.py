"""A report before it is written: sections of paragraphs, tables and charts, made of texts and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.review.query import Query

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it is read.

    With a `query` it stands in that answer, at the JSON pointer `at`. Otherwise it was computed, as the note named
    `note` says, from answers that the note lists. `tone` is how it is to be taken, said by a sign as well.
    """

    text: str
    query: Query | None = None
    at: str = ""
    unit: str = ""
    note: str = ""
    tone: Literal["", "good", "bad"] = ""


Inline = str | Figure
Line = tuple[Inline, ...]
"""Texts and figures in a row."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences. `remark` sets it apart: what one has to know to read the rest."""

    line: Line
    remark: bool = False


@dataclass(frozen=True, slots=True)
class Tiles:
    """The few figures that matter most: what it is, the figure, and what to hold it against."""

    tiles: Sequence[tuple[str, Line, Line]]


@dataclass(frozen=True, slots=True)
class Points:
    """Sentences one below the other; `ordered` ones are numbered."""

    points: Sequence[Line]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows beneath column names; columns whose number is in `texts` hold words, the others numbers."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Line]]
    texts: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing as SVG, trusted: whoever makes it has escaped what it shows. `text` says the same in words."""

    svg: str
    text: str


Block = Paragraph | Tiles | Points | Table | Chart


@dataclass(frozen=True, slots=True)
class Note:
    """How figures were computed, and from which answers."""

    name: str
    title: str
    text: str
    queries: Sequence[Query] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter; `name` is its anchor."""

    name: str
    title: str
    blocks: Sequence[Block] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report in one language. `facts` stand beneath the title, as name and content."""

    language: Language
    title: str
    kicker: str
    facts: Sequence[tuple[str, Line]] = ()
    sections: Sequence[Section] = ()
    notes: Sequence[Note] = ()
    notes_title: str = ""
    queries_title: str = ""
    contents_title: str = ""
    other_language: str = ""
    """The name of the other language, in itself."""
    definitions: Sequence[tuple[str, str]] = field(default_factory=tuple)
    definitions_title: str = ""


def figures_of(document: Document) -> list[Figure]:
    """Every figure in the order in which it is read."""
    lines: list[Line] = [line for _, line in document.facts]
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Paragraph):
                lines.append(block.line)
            elif isinstance(block, Tiles):
                lines += [line for _, value, beside in block.tiles for line in (value, beside)]
            elif isinstance(block, Points):
                lines += block.points
            elif isinstance(block, Table):
                lines += [cell for row in block.rows for cell in row]
    return [part for line in lines for part in line if isinstance(part, Figure)]


def queries_of(document: Document) -> list[Query]:
    """Every query that a figure or a note is linked to, once, in the order of first use."""
    asked = [figure.query for figure in figures_of(document) if figure.query is not None]
    asked += [query for note in document.notes for query in note.queries]
    return list(dict.fromkeys(asked))
