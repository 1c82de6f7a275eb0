"""The receivers file: who is told of which alerts, and how."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.alerts import Severity

Language = Literal["en", "zh", "both"]
ReceiverType = Literal["alertmanager", "webhook", "pagerduty", "slack", "dingtalk", "feishu", "wecom"]

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$")]
"""What a vendor calls a person or a group; nothing that its markup would take for something else."""

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
SIGNED = frozenset({"dingtalk", "feishu", "webhook"})
MOBILES = frozenset({"dingtalk", "wecom"})
GROUPS = frozenset({"slack"})
SECRET_ADDRESS = frozenset({"slack", "dingtalk", "feishu", "wecom"})
"""Whoever knows their address may write into the room."""
SILENT = frozenset({"alertmanager", "webhook", "pagerduty"})
"""Types that mention nobody: they have routes of their own."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mention(_Strict):
    """Who is to be called by name in a chat when an alert fires or is escalated; without conditions: always."""

    severity: list[Severity] = Field([], description="only for these severities")
    owner: list[str] = Field([], description="only for alerts of these owners")
    users: list[Identifier] = Field(
        [], description="Slack U..., DingTalk user id, Feishu open_id ou_... or e-mail, WeCom user id"
    )
    mobiles: list[Annotated[str, Field(pattern=r"^\+?[0-9-]{5,20}$")]] = Field([], description="DingTalk and WeCom")
    groups: list[Identifier] = Field([], description="Slack user groups, S...")
    everyone: bool = Field(False, description="everybody in the room")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.users or self.mobiles or self.groups or self.everyone):
            raise ValueError("name somebody: users, mobiles, groups or everyone")
        return self


class Match(_Strict):
    """Alerts that a receiver is told of; all that is given must fit, each by one of its values."""

    campaign: list[str] = Field([], description="campaign ids; `*` for the pipeline's own alerts")
    owner: list[str] = Field([], description="owners, as the rules name them")
    rule: list[str] = Field([], description="rules")
    labels: dict[str, list[str]] = Field({}, description="label: values, e.g. channel: [app, live]")


class Receiver(_Strict):
    """One receiver. `url`, `urls` and `secret` may be written as `${NAME}`, or left to `url_file` and `secret_file`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    type: ReceiverType
    url: str | None = Field(None, description="address, or `${NAME}` of an environment variable that holds it")
    url_file: str | None = Field(None, description="file that holds the address")
    urls: list[str] = Field([], max_length=16, description="alertmanager: every one of a cluster; all are told")
    secret: str | None = Field(
        None, description="`${NAME}`: key that signs (dingtalk, feishu, webhook), or the routing key (pagerduty)"
    )
    secret_file: str | None = Field(None, description="file that holds the secret")
    language: Language = Field("en", description="of the text")
    min_severity: Severity = Field("info", description="less is not told")
    match: Match = Match()
    escalation: bool = Field(
        False, description="is told only of alerts that were escalated; without any such receiver, all others are"
    )
    mentions: list[Mention] = []
    resend_seconds: int = Field(60, ge=5, le=3600, description="alertmanager: how often what is open is sent again")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        addresses = [self.url is not None, self.url_file is not None, bool(self.urls)]
        if self.urls and self.type != "alertmanager":
            raise ValueError(f"urls: only alertmanager has several; give {self.type} one url")
        if sum(addresses) != 1 and not (self.type == "pagerduty" and not any(addresses)):
            raise ValueError("give one of url, url_file" + (", urls" if self.type == "alertmanager" else ""))
        if self.secret is not None and self.secret_file is not None:
            raise ValueError("give secret or secret_file, not both")
        has_secret = self.secret is not None or self.secret_file is not None
        if self.type == "pagerduty" and not has_secret:
            raise ValueError("secret: pagerduty needs its routing key")
        if has_secret and self.type not in {*SIGNED, "pagerduty"}:
            raise ValueError(f"secret: {self.type} has none; what is secret is in its url")
        if self.secret is not None and not _REFERENCE.fullmatch(self.secret):
            raise ValueError("secret: write ${NAME} or use secret_file, so that the file holds no secret")
        if self.type in SECRET_ADDRESS and self.url is not None and not _REFERENCE.fullmatch(self.url):
            raise ValueError(f"url: that of {self.type} is a secret; write ${{NAME}} or use url_file")
        if self.escalation and self.type == "alertmanager":
            raise ValueError("escalation: alertmanager has routes of its own for that")
        self._check_mentions()
        return self

    def _check_mentions(self) -> None:
        if self.mentions and self.type in SILENT:
            raise ValueError(f"mentions: {self.type} mentions nobody")
        if self.type not in MOBILES and any(mention.mobiles for mention in self.mentions):
            raise ValueError(f"mentions: {self.type} knows no mobiles")
        if self.type not in GROUPS and any(mention.groups for mention in self.mentions):
            raise ValueError(f"mentions: {self.type} knows no groups")


class ReceiverFile(_Strict):
    """A receivers file: the list of receivers, their names all different."""

    receivers: list[Receiver] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two receivers are named {name!r}")
        if all(receiver.escalation for receiver in self.receivers):
            raise ValueError("every receiver is for escalations only: nobody would be told first")
        return self
