"""The one-liners of the README read what a running system answers."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8080"


def blocks(word: str) -> list[str]:
    """The README's Python blocks that hold a word."""
    return [block for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if word in block]


def run(block: str, client: httpx.Client) -> Any:
    """The value of the block's last expression, asked of this system instead of the usual one."""
    assert ADDRESS in block
    tree = ast.parse(block.replace(ADDRESS, str(client.base_url).rstrip("/")))
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {}
    exec(compile(tree, "README.md", "exec"), names)
    return eval(compile(ast.Expression(last.value), "README.md", "eval"), names)


def test_duckdb_reads_a_table_in_a_line(client: httpx.Client) -> None:
    """Catches: a line that needs what a clean machine does not have."""
    (block,) = blocks("duckdb.sql")
    assert run(block, client).fetchall() == [("sku-1", Decimal("2999.00")), ("sku-2", Decimal("99.00"))]


def test_pandas_reads_a_table_in_a_line(client: httpx.Client) -> None:
    """Catches: a form that pandas does not read."""
    (block,) = blocks("import pandas")
    frame = run(block, client)
    assert list(frame.columns) == ["time", "gmv", "uv"]
    assert frame["gmv"].sum() == Decimal("3078.00")
    assert str(frame["time"].dtype).startswith("datetime64")
