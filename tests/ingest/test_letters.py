"""Which letters a successor takes for those of the block that it builds again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.ingest.letters import source
from services.ingest.protocol import BlockId
from services.ingest.refusals import Refusal, letter

BLOCK = BlockId("campaign.orders", 3, "i", 10, 20, 1_794_000_000_123)
REFUSAL = Refusal(15, b"k", b"{", "invalid_json", "because")


def test_a_letter_of_the_block_is_known() -> None:
    _, text = letter(BLOCK, REFUSAL, limit=1 << 20)
    assert source(text, BLOCK) == 15


@pytest.mark.parametrize(
    "other",
    [
        replace(BLOCK, topic="campaign.spend"),
        replace(BLOCK, partition=4),
        replace(BLOCK, start=16),
        replace(BLOCK, end=15),
        # The same offsets of a topic that was deleted and created anew: its letter is yet to be sent.
        replace(BLOCK, incarnation="j", opened_at=BLOCK.opened_at + 60_000),
    ],
)
def test_a_letter_of_another_block_is_not(other: BlockId) -> None:
    _, text = letter(BLOCK, REFUSAL, limit=1 << 20)
    assert source(text, other) is None
