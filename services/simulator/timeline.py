"""Events in the order of their time: actors plan ahead, the timeline lets each happen when its second comes.

Pure: time is simulated, and the same actors with the same seed yield the same bytes.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from services.common.clock import to_datetime
from services.common.errors import ConfigurationError

SECOND_MS = 1000
_PAGE_VIEWS = frozenset({"page_view", "view_item"})

Hook = Callable[[int], bool]
"""Called when a planned event is due, with its time in ms; False keeps it from happening."""

Gate = Callable[[str, dict[str, Any]], bool]
"""Called with kind and fields of an event that happens; False loses it on its way."""


class Record(NamedTuple):
    """One event as it goes to Kafka: `kind` names the topic, `time_ms` is its event time."""

    time_ms: int
    kind: str
    key: bytes
    value: bytes


class Truth(NamedTuple):
    """An incident that was injected: what happened from when to when, and the rule that ought to tell."""

    type: str
    rule: str
    campaign_id: str
    labels: dict[str, str]
    starts_ms: int
    ends_ms: int
    details: dict[str, Any]

    def as_json(self) -> bytes:
        """One line of the ground-truth file, without the newline."""
        body = {
            "type": self.type,
            "rule": self.rule,
            "campaign_id": self.campaign_id,
            "labels": {"campaign_id": self.campaign_id, **self.labels},
            "starts_at": to_datetime(self.starts_ms).isoformat(timespec="milliseconds"),
            "ends_at": to_datetime(self.ends_ms).isoformat(timespec="milliseconds"),
            **self.details,
        }
        return msgspec.json.encode(body)


class Campaign(NamedTuple):
    """The body of `PUT /api/v1/campaigns/{id}`; money in decimal strings, times in RFC 3339."""

    campaign_id: str
    body: dict[str, Any]


class Actor(Protocol):
    """Someone or something that makes events."""

    def tick(self, timeline: Timeline) -> None:
        """Plans events at or after `timeline.now_ms`; called once at the start of every second."""
        ...


class Timeline:
    """A campaign's events from `start_ms` on (a whole second, epoch milliseconds).

    Ids are unique over runs with another seed or start, and the same in a run with the same ones.
    """

    def __init__(self, campaign_id: str, *, seed: int, start_ms: int) -> None:
        if start_ms % SECOND_MS:
            raise ConfigurationError("a timeline starts on a whole second")
        self.campaign_id = campaign_id
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.paused_ms = 0
        self.run_id = f"{zlib.crc32(f'{seed}/{start_ms}/{campaign_id}'.encode()):08x}"
        self.visits: defaultdict[str, float] = defaultdict(float)
        """Visits begun by channel over the whole run that marketing pays for; none of a spike, and of a sale's rush
        no more than would have come without it."""
        self.page_views: deque[Counter[str]] = deque(maxlen=60)
        """Page views by channel in each of the last seconds that are complete."""
        self.notices: deque[Truth | Campaign] = deque()
        """What those who run the timeline should know; they take it from the left."""
        self.gates: list[Gate] = []
        """All of them must let an event pass; for those who lose events."""
        self._planned: dict[int, list[tuple[int, int, str, str, dict[str, Any] | bytes, Hook | None]]] = {}
        self._sequence = 0
        self._finished = False

    def next_id(self, prefix: str) -> str:
        """An id that no other call of this run, nor of another run, returns."""
        self._sequence += 1
        return f"{prefix}-{self.run_id}-{self._sequence:x}"

    def plan(self, at_ms: int, kind: str, key: str, fields: dict[str, Any] | bytes, hook: Hook | None = None) -> None:
        """Lets an event happen at a time not before the present second; the timeline owns `fields` from here.

        Bytes are sent as they are, whatever they say. A hook may plan nothing for the second it is called in.
        """
        if at_ms < self.now_ms:
            raise ValueError(f"event planned {self.now_ms - at_ms} ms in the past")
        self._sequence += 1
        second, offset = divmod(at_ms, SECOND_MS)
        entry = (offset, self._sequence, kind, key, fields, hook)
        bucket = self._planned.get(second)
        if bucket is None:
            self._planned[second] = [entry]
        else:
            bucket.append(entry)

    def pause(self, duration_ms: int) -> None:
        """Nothing happens for so long (whole seconds); all that was planned happens that much later."""
        shift = duration_ms // SECOND_MS
        self._planned = {second + shift: bucket for second, bucket in self._planned.items()}
        self.now_ms += shift * SECOND_MS
        self.paused_ms += shift * SECOND_MS

    def finish(self) -> None:
        """The present second is the last."""
        self._finished = True

    def run(self, actors: Sequence[Actor]) -> Iterator[Record]:
        """Every event in the order of its time, until an actor calls `finish`, or without end.

        Each second the actors are asked in their order.
        """
        encode = msgspec.json.Encoder().encode
        campaign_id = self.campaign_id
        event = f"e-{self.run_id}-"
        emitted = 0
        while not self._finished:
            for actor in actors:
                actor.tick(self)
            second = self.now_ms // SECOND_MS
            base_ms = second * SECOND_MS
            # The festival's own offset; the contract takes any.
            prefix = to_datetime(base_ms + 8 * 3_600_000).strftime("%Y-%m-%dT%H:%M:%S.")
            seen: Counter[str] = Counter()
            for offset, _, kind, key, fields, hook in sorted(self._planned.pop(second, ())):
                at_ms = base_ms + offset
                if hook is not None and not hook(at_ms):
                    continue
                if isinstance(fields, bytes):
                    yield Record(at_ms, kind, key.encode(), fields)
                    continue
                if self.gates and not all(gate(kind, fields) for gate in self.gates):
                    continue
                emitted += 1
                fields["event_id"] = f"{event}{emitted:x}"
                fields["event_time"] = f"{prefix}{offset:03d}+08:00"
                fields["campaign_id"] = campaign_id
                if kind == "traffic" and fields["event_name"] in _PAGE_VIEWS:
                    seen[fields["channel"]] += 1
                yield Record(at_ms, kind, key.encode(), encode(fields))
            self.page_views.append(seen)
            self.now_ms += SECOND_MS


def money(cents: int) -> str:
    """A decimal string of an amount in hundredths."""
    return f"{cents // 100}.{cents % 100:02d}"
