"""What the system tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.war_room import WarRoom, war_room_in


@pytest.fixture
def war_room(tmp_path: Path) -> Iterator[WarRoom]:
    """An empty embedded system that is ready."""
    with war_room_in(tmp_path / "warroom") as room:
        room.start()
        yield room
