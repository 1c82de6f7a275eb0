"""The rules in force, and the file that they come from, which may change while the service runs."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.alerts.rules.check import Checked, check
from services.alerts.rules.document import Place
from services.alerts.rules.load import read_texts, refusal, shipped
from services.alerts.rules.model import Rule
from services.common import prometheus
from services.common.errors import ConfigurationError

logger = logging.getLogger(__name__)

_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How the file stands. Times are epoch milliseconds.

    `loaded_at` is when the rules in force were taken from it, `tried_at` when it was last read anew. `problems` are
    why what it says now is not in force.
    """

    source: str
    loaded_at: int
    tried_at: int
    problems: Sequence[str] = field(default_factory=tuple)

    @property
    def successful(self) -> bool:
        """Whether what the file says is in force."""
        return not self.problems


class RuleBook:
    """Reads the rules, and reads them again when they have changed. A file with anything wrong changes nothing.

    Raises `ConfigurationError` when the first reading finds anything wrong. Not to be polled by two at once.
    """

    def __init__(self, path: Path | None, now: int) -> None:
        self._path = path
        texts = [shipped()] if path is None else read_texts(path)
        checked = check(texts) if path is None else check(texts, shipped())
        if checked.problems:
            raise refusal(checked.problems)
        self._in_force = _digest(texts)
        self._refused = ""
        self._settling = ""
        self.standing = Standing("shipped rules" if path is None else str(path), now, now)
        self._take(checked, now)

    @property
    def watched(self) -> bool:
        """Whether there is a file that may change."""
        return self._path is not None

    @property
    def rules(self) -> Sequence[Rule]:
        """Those in force."""
        return self._rules

    @property
    def places(self) -> Mapping[str, Place]:
        """Where each rule in force is written."""
        return self._places

    def poll(self, now: int, *, at_once: bool = False) -> bool:
        """Reads the file; whether other rules are in force than before. Never raises.

        What has changed is taken when two polls find the same, so that nothing half written is: a file is
        often emptied and written anew. `at_once` takes it as it is.
        """
        if self._path is None:
            return False
        try:
            texts = read_texts(self._path)
        except ConfigurationError as error:
            if self._steady(str(error), at_once):
                self._refuse(str(error), [str(error)], now)
            return False
        digest = _digest(texts)
        if digest == self._in_force:
            self._settling = self._refused = ""
            if not self.standing.successful:
                logger.info("rules are as they were again", extra={"source": self.standing.source})
                self.standing = replace(self.standing, tried_at=now, problems=())
                _gauge(successful=True, now=None)
            return False
        if not self._steady(digest, at_once):
            return False
        checked = check(texts, shipped())
        if checked.problems:
            self._refuse(digest, [str(problem) for problem in checked.problems], now)
            return False
        self._in_force, self._settling, self._refused = digest, "", ""
        self._take(checked, now)
        logger.info("rules taken", extra={"source": self.standing.source, "rules": len(self._rules)})
        return True

    def _steady(self, seen: str, at_once: bool) -> bool:
        """Whether this is to be looked into: it was the same at the last poll, and has not been refused already."""
        if at_once:
            return True
        before, self._settling = self._settling, seen
        return seen == before and seen != self._refused

    def _refuse(self, seen: str, problems: list[str], now: int) -> None:
        self._refused = seen
        self.standing = replace(self.standing, tried_at=now, problems=tuple(problems[:_MOST_PROBLEMS]))
        _gauge(successful=False, now=None)
        logger.error(
            "rules refused; the old ones stay in force",
            extra={"source": self.standing.source, "problems": problems[:10], "problem_count": len(problems)},
        )

    def _take(self, checked: Checked, now: int) -> None:
        self._rules = [rule for rule in checked.rules if rule.enabled]
        self._places = checked.places
        self.standing = Standing(self.standing.source, now, now)
        _gauge(successful=True, now=now)


def _digest(texts: Sequence[tuple[str, str]]) -> str:
    found = hashlib.sha256()
    for part in (part for text in texts for part in text):
        # With its length: where one ends and the next begins is part of what is there.
        data = part.encode()
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


def _gauge(*, successful: bool, now: int | None) -> None:
    prometheus.ALERT_RULES_RELOAD_SUCCESSFUL.set(successful)
    if now is not None:
        prometheus.ALERT_RULES_RELOADED_AT.set(now / 1000)
