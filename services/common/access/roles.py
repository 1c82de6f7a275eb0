"""Who may do what: pure decisions, each with its reason.

A role holds for campaigns that are named, or for all of them. What is of no single campaign (the pipeline, rehearsals,
the activity log) is for those alone whose role holds for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from fnmatch import fnmatchcase

EVERY = "*"
"""The pattern of every campaign, and of those that are yet to come."""

PATTERN = r"^[A-Za-z0-9_.*-]{1,64}$"
"""Of a campaign's id, with `*` for any characters."""

NOBODY_IN_PARTICULAR = ""


class Role(IntEnum):
    """Each may do what those before it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """Raises `ValueError`."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"{word!r} is no role; there are viewer, operator and admin") from None


@dataclass(frozen=True, slots=True)
class Scope:
    """The campaigns of somebody: ids, with `*` for any characters."""

    patterns: tuple[str, ...]

    @property
    def everything(self) -> bool:
        """Whether it holds every campaign, known or not."""
        return any(set(pattern) == {EVERY} for pattern in self.patterns)

    def holds(self, campaign_id: str) -> bool:
        return any(fnmatchcase(campaign_id, pattern) for pattern in self.patterns)

    @property
    def regex(self) -> str:
        """RE2 over a whole campaign id, for the store; empty for every campaign."""
        if self.everything:
            return ""
        if not self.patterns:
            # No id is empty.
            return "^$"
        ways = "|".join(".*".join(re.escape(part) for part in pattern.split("*")) for pattern in self.patterns)
        return f"^(?:{ways})$"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role for some campaigns."""

    role: Role
    scope: Scope


class How(Enum):
    """How somebody is known."""

    OPEN = "open"
    KEY = "key"
    TOKEN = "token"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    `name` is empty where nobody is asked for one (an open loopback); `subject` is the provider's own name of a person,
    which does not change. `browser` tells that a cookie said so, which a browser sends along unasked.
    """

    name: str
    grants: tuple[Grant, ...]
    how: How
    subject: str = ""
    browser: bool = False

    @property
    def role(self) -> Role | None:
        """The greatest role that it has anywhere."""
        return max((grant.role for grant in self.grants), default=None)

    def scope(self, role: Role = Role.VIEWER) -> Scope:
        """The campaigns for which it has at least that role."""
        return Scope(tuple(pattern for grant in self.grants if grant.role >= role for pattern in grant.scope.patterns))

    def may(self, role: Role, campaign_id: str | None = None) -> bool:
        """Whether it has the role for a campaign, or, without one, for all."""
        scope = self.scope(role)
        return scope.everything if campaign_id is None else scope.holds(campaign_id)


ANYONE = Principal(NOBODY_IN_PARTICULAR, (Grant(Role.ADMIN, Scope((EVERY,))),), How.OPEN)
"""Whoever reaches an open loopback: they could as well read its files."""


class Reach(Enum):
    """Which campaigns a call is about."""

    OPEN = "open"
    """None, and nobody is asked who they are."""
    ANY = "any"
    """None or several: whoever has the role anywhere may, and is shown what is theirs."""
    ONE = "one"
    """The one in its path."""
    HOUSE = "house"
    """All of them together."""


class Verdict(Enum):
    """What becomes of a call."""

    ALLOW = "allow"
    WHO = "who"
    """Nobody knows who asks: 401."""
    ROLE = "role"
    """The role is too small, or holds for some campaigns only: 403."""
    HIDDEN = "hidden"
    """Of that campaign they are told what they would be told of one that does not exist: 404."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and why, in a sentence that may be shown."""

    verdict: Verdict
    reason: str = ""

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW


_ALLOWED = Decision(Verdict.ALLOW)


def decide(principal: Principal | None, reach: Reach, role: Role, campaign_id: str | None = None) -> Decision:
    """Whether a call that wants `role` is allowed. `campaign_id` is that of the path where `reach` is one."""
    if reach is Reach.OPEN:
        return _ALLOWED
    if principal is None:
        return Decision(Verdict.WHO, "sign in, or send an API key or token as `Authorization: Bearer ...`")
    if principal.role is None or principal.role < role:
        return Decision(Verdict.ROLE, f"this needs the role {role.word}")
    if reach is Reach.HOUSE and not principal.may(role):
        return Decision(Verdict.ROLE, f"this needs the role {role.word} for every campaign")
    return _of_one(principal, role, campaign_id) if reach is Reach.ONE else _ALLOWED


def _of_one(principal: Principal, role: Role, campaign_id: str | None) -> Decision:
    assert campaign_id is not None
    # Of what is only read, that it exists is told to nobody else. Whoever would write names it themselves.
    if role is Role.VIEWER and not principal.may(role, campaign_id):
        return Decision(Verdict.HIDDEN, f"no campaign named {campaign_id!r}")
    if not principal.may(role, campaign_id):
        return Decision(Verdict.ROLE, f"this needs the role {role.word} for this campaign")
    return _ALLOWED


def united(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """The same grants, each once."""
    return tuple(dict.fromkeys(grants))
