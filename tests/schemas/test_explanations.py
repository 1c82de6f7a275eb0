"""What people are told of the numbers: a metric or a column that nobody explains is misread."""

from __future__ import annotations

import pytest

from schemas.documents import ROOT
from schemas.explanations.document import metrics_document
from schemas.explanations.metrics import EXPLANATIONS
from schemas.explanations.tables import TABLES
from schemas.explanations.text import Both, TableText
from schemas.metrics import METRICS

TEXT = metrics_document()


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def both(texts: Both) -> bool:
    return bool(texts.en) and not is_chinese(texts.en) and is_chinese(texts.zh)


def test_every_metric_is_explained_in_both_languages() -> None:
    assert EXPLANATIONS.keys() == METRICS.keys()
    for name, metric in METRICS.items():
        section = TEXT.split(f"\n### {name}\n")[1].split("\n### ")[0]
        assert both(metric.explanation.read), name
        assert both(metric.explanation.beware), name
        for part in (metric.title, metric.title_zh, metric.formula, metric.explanation.beware.zh, *metric.dimensions):
            assert part in section, (name, part)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.path)
def test_every_table_is_explained_in_both_languages(table: TableText) -> None:
    assert both(table.title)
    assert both(table.text)
    assert set(table.metrics) <= METRICS.keys()
    assert len({column.name for column in table.columns}) == len(table.columns)
    for column in table.columns:
        assert both(column.text), column.name
    assert f"/{table.path}`" in TEXT


def test_a_metric_says_when_it_is_null() -> None:
    assert "when `ad_cost` is zero; by or filtered by `item_category`" in TEXT.split("### roas")[1]


def test_the_document_is_where_the_readme_sends_people() -> None:
    assert "docs/metrics.md" in (ROOT / "README.md").read_text(encoding="utf-8")
