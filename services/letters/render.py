"""Letters as text for people. What producers sent may hold anything, so nothing of it reaches a terminal raw."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

_HEX_ROW = 16
_MOST_HEX_BYTES = 4096
_LONGEST_KEY = 32


def letter_table(rows: Sequence[Mapping[str, Any]], width: int) -> str:
    """One line a letter; the last column is cut to `width` characters."""
    cells = [("RECEIVED", "LETTER", "REASON", "KEY", "BYTES", "REDRIVEN TO", "DETAIL")]
    cells += [
        (
            row["received_at"],
            f"{row['topic']}/{row['partition']}/{row['offset']}",
            row["reason"],
            _cut("-" if row["key"] is None else printable(row["key"]), _LONGEST_KEY),
            str(row["value_bytes"]),
            row["redriven_to"] or "-",
            printable(row["detail"]),
        )
        for row in rows
    ]
    return "\n".join(_cut(line, width) for line in _aligned(cells))


def letter_text(row: Mapping[str, Any]) -> str:
    """One letter with everything that is known of it."""
    place = f"{row['topic']}/{row['partition']}/{row['offset']}"
    redriven = f"{row['redriven_at']} to {row['redriven_to']}" if row["redriven_at"] else "no"
    facts = [
        ("letter", place),
        ("reason", row["reason"]),
        ("detail", printable(row["detail"])),
        ("key", "none" if row["key"] is None else printable(row["key"])),
        ("received", row["received_at"]),
        ("redriven", redriven),
        ("value", f"{row['value_bytes']} bytes"),
    ]
    if row["earlier"]:
        facts.insert(-1, ("earlier", f"the topic was created anew; also received at {', '.join(row['earlier'])}"))
    return "\n".join([*_aligned(facts), "", value_text(base64.b64decode(row["value"]))])


def redrive_table(letters: Sequence[Mapping[str, Any]]) -> str:
    """One line a letter: where it went, or why it did not."""
    return "\n".join(
        _aligned(
            (each["letter"], each["outcome"] + (f" to {each['to']}" if each["to"] else ""), printable(each["detail"]))
            for each in letters
        )
    )


def value_text(value: bytes) -> str:
    """A record's value: JSON with line breaks, other text as it is, bytes in hexadecimal."""
    try:
        return printable(msgspec.json.format(value, indent=2).decode(), keep="\n")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return _hexadecimal(value)
    return printable(text, keep="\n\t")


def printable(text: str, keep: str = "") -> str:
    """The text with every character that a terminal would act on written as an escape."""
    return "".join(
        character
        if character.isprintable() or character in keep
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


def _hexadecimal(value: bytes) -> str:
    lines = []
    for start in range(0, min(len(value), _MOST_HEX_BYTES), _HEX_ROW):
        row = value[start : start + _HEX_ROW]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<{3 * _HEX_ROW}} {text}")
    if len(value) > _MOST_HEX_BYTES:
        lines.append(f"... {len(value) - _MOST_HEX_BYTES} more bytes; --raw writes them all")
    return "\n".join(lines)


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
