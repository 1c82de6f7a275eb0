"""What the tests of the standalone share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.war_room import WarRoom, war_room_in


@pytest.fixture
def idle_room(tmp_path: Path) -> Iterator[WarRoom]:
    """A war room that nobody has started; whatever a test leaves running is ended."""
    with war_room_in(tmp_path / "warroom") as room:
        yield room


@pytest.fixture
def war_room(idle_room: WarRoom) -> WarRoom:
    """An empty embedded system that is ready."""
    idle_room.start()
    return idle_room
