"""One language of the report."""

from __future__ import annotations

import re
from datetime import datetime

from schemas.metrics import METRICS
from services.review.document import Inline, Language, Line
from services.review.figures import duration_text
from services.review.words.labels import LABELS
from services.review.words.notes import NOTES
from services.review.words.sentences import SENTENCES

_HOLE = re.compile(r"\{(\w+)\}")


class Voice:
    """Speaks one language; what people named themselves (campaigns, phases, channels) is said as it is."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 0 if language == "en" else 1

    def word(self, name: str) -> str:
        """A label."""
        return LABELS[name][self._column]

    def say(self, name: str, **parts: Inline) -> Line:
        """A sentence with figures and names in its holes."""
        return filled(SENTENCES[name][self._column], parts)

    def text(self, name: str, **parts: str) -> str:
        """A sentence that holds no figures."""
        return "".join(str(part) for part in self.say(name, **parts))

    def note(self, name: str) -> tuple[str, str]:
        """Title and text of a note."""
        title, text = NOTES[name]
        return title[self._column], text[self._column]

    def metric(self, name: str) -> str:
        """The metric's title in the catalogue."""
        metric = METRICS[name]
        return (metric.title, metric.title_zh)[self._column]

    def definition(self, name: str) -> str:
        """The metric's definition in the catalogue, which every department shares."""
        metric = METRICS[name]
        return (metric.definition, metric.definition_zh)[self._column]

    def value(self, dimension_value: str) -> str:
        """A value of a dimension; `unknown` is no name that somebody gave."""
        return self.word("unknown") if dimension_value == "unknown" else dimension_value

    def duration(self, ms: float | None) -> str:
        """A length of time."""
        return duration_text(ms, self.language)

    def moment(self, at: datetime, *, seconds: bool = False) -> str:
        """A moment on the campaign's wall clock."""
        return f"{at:%Y-%m-%d %H:%M:%S}" if seconds else f"{at:%Y-%m-%d %H:%M}"

    def joined(self, lines: list[Line]) -> Line:
        """Sentences one after the other."""
        space = " " if self.language == "en" else ""
        parts: list[Inline] = []
        for number, line in enumerate(lines):
            parts += ([space] if number and space else []) + list(line)
        return tuple(parts)


def filled(template: str, parts: dict[str, Inline]) -> Line:
    """The template's text with the parts in its holes; every hole must have a part and every part a hole."""
    pieces = _HOLE.split(template)
    if set(pieces[1::2]) != parts.keys():
        raise KeyError(f"{template!r} wants {sorted(set(pieces[1::2]))} and was given {sorted(parts)}")
    line: list[Inline] = [parts[piece] if number % 2 else piece for number, piece in enumerate(pieces)]
    return tuple(part for part in line if part != "")
