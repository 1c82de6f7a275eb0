"""Both languages must say the same thing about the same figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.review.words.labels import LABELS
from services.review.words.notes import NOTES
from services.review.words.sentences import SENTENCES
from services.review.words.voice import Voice

PACKAGE = Path(__file__).parents[2] / "services" / "review"


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_holds_the_same_figures_in_both_languages(name: str) -> None:
    english, chinese = (sorted(re.findall(r"\{(\w+)\}", text)) for text in SENTENCES[name])
    assert english == chinese
    assert len(english) == len(set(english))


def test_no_word_is_left_over() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.parent.name != "words")
    # Named by what they are made of: `drivers_baseline`, and steps, rungs and severities as the API names them.
    made = {"drivers_baseline", "drivers_target", "the_baseline", "the_target"}
    said = {"visit", "view_item", "add_to_cart", "begin_checkout", "order_created", "order_paid"}
    said |= {"placed", "paid", "net_of_refunds", "net_of_suspicion", "critical", "warning", "info"}
    for name in (SENTENCES.keys() | LABELS.keys() | NOTES.keys()) - made - said:
        assert f'"{name}"' in code, name


def test_a_hole_without_a_figure_is_no_sentence() -> None:
    with pytest.raises(KeyError):
        Voice("en").say("targets_reached", reached="1")
    with pytest.raises(KeyError):
        Voice("en").say("no_targets", more="1")
