"""Pieces of SVG."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

WIDTH = 960


def element(name: str, content: str = "", /, **attributes: str | float) -> str:
    """An element whose attributes are escaped; `content` is SVG already. `class_` is `class`, `_` is `-`."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value), quote=True)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def label(x: float, y: float, content: str, anchor: str = "start", kind: str = "t") -> str:
    """A text at a place."""
    return element("text", escape(content), x=x, y=y, text_anchor=anchor, class_=kind)


def drawing(name: str, title: str, text: str, height: float, parts: Iterable[str]) -> str:
    """A whole chart, `WIDTH` wide, with its title and its content in words for those who cannot see it."""
    head = f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(text)}</desc>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {_text(height)}" role="img" aria-labelledby="{name}-t {name}-d" '
        f'xmlns="http://www.w3.org/2000/svg">{head}{"".join(parts)}</svg>'
    )


def clipped(text: str, most: int) -> str:
    """A name that fits its place; wide characters count twice."""
    width, kept = 0, ""
    for character in text:
        width += 2 if ord(character) > 0x2E7F else 1
        if width > most:
            return kept.rstrip() + "…"
        kept += character
    return text


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
