"""Where a record stands in Kafka: what names a dead letter to people."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.common.errors import InvalidRequest

_FORM = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9]{1,5})/([0-9]{1,19})")
_MOST_PARTITION = 2**16 - 1


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A record's topic, partition and offset; as text `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises `InvalidRequest` for anything but `topic/partition/offset`."""
        match = _FORM.fullmatch(text)
        if match is None or int(match[2]) > _MOST_PARTITION:
            raise InvalidRequest("letter", f"{text!r} is not TOPIC/PARTITION/OFFSET, such as campaign.orders/0/17")
        return cls(match[1], int(match[2]), int(match[3]))
