"""Reads a report as a browser would: with a parser of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "line", "rect", "path", "circle"}


@dataclass
class Link:
    """A link with its text; `at` and `unit` say where the figure stands in the answer and how it is written."""

    href: str
    at: str | None
    unit: str
    text: str = ""
    classes: str = ""


@dataclass
class Page:
    """What stands on a page."""

    links: list[Link] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    text: str = ""
    attributes: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def figures(self) -> list[Link]:
        """The links of figures, in order."""
        return [link for link in self.links if link.classes == "f"]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []
        self.link: Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.page.tags.add(tag)
        self.page.attributes += [(tag, name, value) for name, value in attrs]
        if given.get("id"):
            assert given["id"] not in self.page.ids, f"two of {given['id']}"
            self.page.ids.add(str(given["id"]))
        if tag == "a":
            self.link = Link(
                given.get("href") or "", given.get("data-at"), given.get("data-unit") or "",
                classes=given.get("class") or "",
            )  # fmt: skip
            self.page.links.append(self.link)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.add(tag)
        self.page.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another"
        if tag == "a":
            self.link = None

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.page.text += data
        if self.link is not None:
            self.link.text += data


def read_page(html: str) -> Page:
    """Raises AssertionError where tags do not nest or ids repeat."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader.page
