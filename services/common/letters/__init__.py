"""Refused records: read from the store, and sent back to their topics. See docs/dead-letters.md."""

from services.common.letters.book import LetterBook
from services.common.letters.fix import Fix, field_text
from services.common.letters.letter import Cursor, Letter, Selection
from services.common.letters.place import Place
from services.common.letters.redrive import Outcome, Redriver, Report, Request, Result

__all__ = [
    "Cursor",
    "Fix",
    "Letter",
    "LetterBook",
    "Outcome",
    "Place",
    "Redriver",
    "Report",
    "Request",
    "Result",
    "Selection",
    "field_text",
]
