"""What several kinds share: for a while something fails on one channel, for most of those who try."""

from __future__ import annotations

from collections.abc import Callable

from services.simulator.conditions import Conditions, Trouble
from services.simulator.incidents.kind import Begun, Course, Stage
from services.simulator.timeline import Timeline


def channel_trouble(
    place: Callable[[Conditions], dict[str, Trouble]], share: float, counted: str
) -> Callable[[Stage, Timeline, Begun], Course]:
    """Begins it: `place` says what fails, `share` for how many; `counted` names how often in the truth's details."""

    def begin(stage: Stage, timeline: Timeline, begun: Begun) -> Course:
        channel = begun.channel(stage)
        trouble = Trouble(begun.number("share", share), stage.rng)
        place(stage.conditions)[channel] = trouble
        details = {"share": trouble.share, counted: 0}

        def end(_: Timeline) -> None:
            place(stage.conditions).pop(channel, None)
            details[counted] = trouble.hits

        return Course({"channel": channel}, details, end=end, onset=lambda: trouble.first_ms)

    return begin
