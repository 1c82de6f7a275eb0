"""Holds what was paged against what happened. Pure: truths and pages in, marks out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.simulator.timeline import Truth

GRACE_MS = 60_000
"""A page counts as detection until so long after the incident has ended."""

SLOW_GRACE_MS: Mapping[str, int] = {"gmv_behind_target": 600_000, "roi_below_floor": 600_000, "budget_overrun": 300_000}
"""The same for rules that look at long windows."""

CONSEQUENCE_GRACE_MS = 900_000
"""What follows from an incident may be told until so long after its end: windows of minutes still hold it."""

PIPELINE = "*"
"""The `campaign_id` of alerts about the pipeline."""

_LOOSE = frozenset({"campaign_id", "phase"})
"""Labels in which a consequence may differ from its cause."""


@dataclass(frozen=True, slots=True)
class Page:
    """A notice that an alert fired. `paged` is False when nobody was told: it was silenced, or part of another's
    incident. One that comes back is another page, `number` 2 and so on, of the same alert.

    Times are epoch milliseconds; `told_at` is when the notice left, or the alert fired when there was none. `refs` are
    the orders or coupons that the evidence names: they tell whom a suspect stands for.
    """

    alert_id: str
    rule: str
    campaign_id: str
    labels: Mapping[str, str]
    told_at: int
    paged: bool = True
    severity: str = ""
    summary: str = ""
    number: int = 1
    refs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """An incident and the page that told of it."""

    truth: Truth
    page: Page

    @property
    def delay_ms(self) -> int:
        """From the moment at which the incident first showed in an event."""
        return self.page.told_at - self.truth.starts_ms


@dataclass(frozen=True, slots=True)
class Missed:
    """An incident of which nobody was told; `note` says what there was instead."""

    truth: Truth
    note: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A page that told nothing new, but rightly: its rule is named as a consequence of the incident."""

    truth: Truth
    page: Page


@dataclass(frozen=True, slots=True)
class FalsePage:
    """A page that should not have been. `why` is `unexplained` or `duplicate`; `during` names what went on then."""

    page: Page
    why: str
    during: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """The marks of a rehearsal of so many festivals."""

    festivals: int
    found: Sequence[Found]
    missed: Sequence[Missed]
    accepted: Sequence[Accepted]
    false: Sequence[FalsePage]
    decoys: Sequence[Truth]

    @property
    def injected(self) -> int:
        """How many incidents there were."""
        return len(self.found) + len(self.missed)

    @property
    def found_share(self) -> float | None:
        """None without incidents."""
        return len(self.found) / self.injected if self.injected else None

    @property
    def false_per_festival(self) -> float:
        """False pages a festival."""
        return len(self.false) / self.festivals

    @property
    def delays_ms(self) -> list[int]:
        """Of what was found, ascending."""
        return sorted(found.delay_ms for found in self.found)


def score(truths: Iterable[Truth], pages: Iterable[Page], *, festivals: int = 1, until_ms: int | None = None) -> Score:
    """Every page explains one thing at most, and no incident is found twice. The order of the arguments does not count.

    A truth without a rule is a decoy: it asks for no page and excuses none. What could still have been found after
    `until_ms` is not missed.
    """
    told = list(truths)
    incidents = joined(truth for truth in told if truth.rule)
    decoys = sorted((truth for truth in told if not truth.rule), key=_order)
    every = sorted(pages, key=lambda page: (page.told_at, page.alert_id, page.number))
    paged = [page for page in every if page.paged]
    finds = _detections(incidents, paged)
    used = {(page.alert_id, page.number) for page in finds.values()}
    accepted: list[Accepted] = []
    false: list[FalsePage] = []
    # What found an incident is no consequence of it a second time.
    taken = {(number, page.rule, tuple(sorted(page.labels.items()))) for number, page in finds.items()}
    for page in paged:
        if (page.alert_id, page.number) in used:
            continue
        cause = _cause(incidents, page, taken)
        if cause is None:
            why = "duplicate" if any(detects(page, truth) for truth in incidents) else "unexplained"
            false.append(FalsePage(page, why, _during(page, [*incidents, *decoys])))
        else:
            accepted.append(Accepted(incidents[cause], page))
            taken.add((cause, page.rule, tuple(sorted(page.labels.items()))))
    return Score(
        festivals,
        [Found(incidents[number], page) for number, page in sorted(finds.items())],
        [
            Missed(truth, _note(truth, every))
            for number, truth in enumerate(incidents)
            if number not in finds and (until_ms is None or deadline(truth) <= until_ms)
        ],
        accepted,
        false,
        decoys,
    )


def detects(page: Page, truth: Truth) -> bool:
    """Rule, campaign, every label that the truth names, and the people agree, and the page came in time."""
    return (
        page.rule == truth.rule
        and page.campaign_id == campaign_of(truth)
        and all(page.labels.get(name) == value for name, value in truth.labels.items() if name != "campaign_id")
        and _same_people(page, truth)
        and truth.starts_ms <= page.told_at <= deadline(truth)
    )


def _same_people(page: Page, truth: Truth) -> bool:
    """A page about a suspect names nobody: it is about the culprit when most of its evidence is the culprit's doing."""
    refs = truth.details.get("refs")
    return refs is None or (bool(page.refs) and 2 * len(page.refs.intersection(refs)) >= len(page.refs))


def campaign_of(truth: Truth) -> str:
    """The `campaign_id` that its alert carries: what is wrong with the pipeline concerns every campaign."""
    return truth.labels.get("campaign_id", truth.campaign_id)


def deadline(truth: Truth) -> int:
    """The last moment at which a page detects it."""
    return truth.ends_ms + SLOW_GRACE_MS.get(truth.rule, GRACE_MS)


def joined(truths: Iterable[Truth]) -> list[Truth]:
    """Truths in the order of their beginning; those that no page could tell apart, since rule and labels agree and
    their times overlap, are one. Festivals that share a pipeline share its incidents."""
    whole: list[Truth] = []
    latest: dict[tuple[str, str, tuple[tuple[str, str], ...], tuple[str, ...]], int] = {}
    for truth in sorted(truths, key=_order):
        key = (
            truth.rule,
            campaign_of(truth),
            tuple(sorted(truth.labels.items())),
            tuple(truth.details.get("refs", ())),
        )
        before = latest.get(key)
        if before is not None and truth.starts_ms <= whole[before].ends_ms:
            known = whole[before]
            whole[before] = known._replace(ends_ms=max(known.ends_ms, truth.ends_ms))
        else:
            latest[key] = len(whole)
            whole.append(truth)
    return whole


def consequences(truth: Truth) -> tuple[str, ...]:
    """The rules that may rightly page beside the truth's own."""
    return tuple(truth.details.get("consequences", ()))


def _detections(incidents: Sequence[Truth], pages: Sequence[Page]) -> dict[int, Page]:
    """The first page goes to the incident that ends first among those it detects: as many are found as can be."""
    finds: dict[int, Page] = {}
    for page in pages:
        open_ = [n for n, truth in enumerate(incidents) if n not in finds and detects(page, truth)]
        if open_:
            finds[min(open_, key=lambda n: (deadline(incidents[n]), n))] = page
    return finds


def _cause(
    incidents: Sequence[Truth], page: Page, taken: set[tuple[int, str, tuple[tuple[str, str], ...]]]
) -> int | None:
    labels = tuple(sorted(page.labels.items()))
    for number, truth in enumerate(incidents):
        if (
            (page.rule in consequences(truth) or (page.rule == truth.rule and _more_people(number, truth, page, taken)))
            and page.campaign_id == campaign_of(truth)
            and truth.starts_ms <= page.told_at <= truth.ends_ms + CONSEQUENCE_GRACE_MS
            and (number, page.rule, labels) not in taken
            and all(truth.labels.get(name, value) == value for name, value in page.labels.items() if name not in _LOOSE)
        ):
            return number
    return None


def _more_people(
    number: int, truth: Truth, page: Page, taken: set[tuple[int, str, tuple[tuple[str, str], ...]]]
) -> bool:
    """Whether the incident is the work of more people than were paged: each of them is a suspect of its own."""
    people = truth.details.get("user_ids", ())
    return _same_people(page, truth) and sum(entry[:2] == (number, truth.rule) for entry in taken) < len(people)


def _note(truth: Truth, pages: Sequence[Page]) -> str:
    for page in pages:
        if not page.paged and detects(page, truth):
            return f"fired at +{(page.told_at - truth.starts_ms) / 1000:.0f} s, but nobody was told"
    same = [
        page
        for page in pages
        if page.rule == truth.rule and page.campaign_id == campaign_of(truth) and _near(page, truth)
    ]
    if same:
        page = same[0]
        named = ", ".join(f"{name}={value}" for name, value in sorted(page.labels.items()) if name != "campaign_id")
        return f"the rule fired at +{(page.told_at - truth.starts_ms) / 1000:.0f} s for {named or 'the whole'}"
    return ""


def _near(page: Page, truth: Truth) -> bool:
    return truth.starts_ms - 600_000 <= page.told_at <= truth.ends_ms + CONSEQUENCE_GRACE_MS


def _during(page: Page, truths: Sequence[Truth]) -> tuple[str, ...]:
    return tuple(
        f"{_named(truth)} {(page.told_at - truth.starts_ms) / 1000:+.0f} s"
        for truth in truths
        if campaign_of(truth) in (page.campaign_id, PIPELINE) and _near(page, truth)
    )


def _named(truth: Truth) -> str:
    kind = str(truth.details.get("decoy", truth.type)) if truth.type == "decoy" else truth.type
    return " ".join([kind, *(value for name, value in sorted(truth.labels.items()) if name != "campaign_id")])


def _order(truth: Truth) -> tuple[Any, ...]:
    return truth.starts_ms, truth.ends_ms, truth.campaign_id, truth.rule, truth.type, sorted(truth.labels.items())
