"""Whoever makes a client of Kafka or opens a store by himself forgets the certificates."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import ROOT

MAKERS = {
    r"\bAIOKafka(Producer|Consumer|AdminClient)\(": ["services/common/kafka/clients.py"],
    r"(?<!def )\bopen_store\(": ["services/common/store/clickhouse.py"],
}


@pytest.mark.parametrize(("call", "where"), MAKERS.items())
def test_clients_are_made_in_one_place(call: str, where: list[str]) -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "services").rglob("*.py")
        if re.search(call, path.read_text(encoding="utf-8"))
    }
    assert sorted(found) == where
