"""Receivers as the settings name them: the file, its secrets, and the sinks made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import ValidationError

from schemas.receivers import Receiver as ReceiverEntry
from schemas.receivers import ReceiverFile
from services.alerts.delivery.payload import RECEIVER
from services.alerts.delivery.sinks.alertmanager import Alertmanager
from services.alerts.delivery.sinks.base import Context, Sink
from services.alerts.delivery.sinks.dingtalk import DingTalk
from services.alerts.delivery.sinks.feishu import Feishu
from services.alerts.delivery.sinks.pagerduty import ADDRESS, PagerDuty
from services.alerts.delivery.sinks.slack import Slack
from services.alerts.delivery.sinks.webhook import EscalationWebhook, Webhook
from services.alerts.delivery.sinks.wecom import WeCom
from services.common.errors import ConfigurationError
from services.common.settings import Settings

_SETTING = "WARROOM_RECEIVERS_FILE"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver with its sink."""

    entry: ReceiverEntry
    sink: Sink
    external_url: str

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def kind(self) -> str:
        return self.sink.kind

    def context(self, now: int) -> Context:
        """What its messages are rendered with."""
        return Context(self.name, self.external_url, now, self.entry.language, self.entry.mentions)


def load_receivers(settings: Settings, environment: Mapping[str, str]) -> list[Receiver]:
    """Those of the file, and `webhook` of the shortcut setting.

    Raises `ConfigurationError` that names the receiver and what to change, and never a secret.
    """
    receivers = [] if settings.receivers_file is None else _of_file(settings, settings.receivers_file, environment)
    if settings.alert_webhook_url is not None:
        if any(receiver.name == RECEIVER for receiver in receivers):
            raise ConfigurationError(
                f"{_SETTING} names a receiver {RECEIVER!r}, and so does WARROOM_ALERT_WEBHOOK_URL: remove one of them"
            )
        url = settings.alert_webhook_url.get_secret_value()
        _check_address(url, "WARROOM_ALERT_WEBHOOK_URL")
        entry = ReceiverEntry(name=RECEIVER, type="webhook", url="http://of.the.setting")
        receivers.append(Receiver(entry, Webhook([url], _secret(settings)), settings.external_url))
    return receivers


def _secret(settings: Settings) -> str | None:
    secret = settings.alert_webhook_secret
    return None if secret is None else secret.get_secret_value()


def parse_receivers(text: str, source: str) -> list[ReceiverEntry]:
    """The entries of a YAML text; `source` names it in errors. Raises `ConfigurationError`."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 1}"
        # Without the text around it, which may hold what does not belong there.
        raise ConfigurationError(f"{_SETTING}: {source}{where}: is no YAML") from None
    try:
        return list(ReceiverFile.model_validate(data).receivers)
    except ValidationError as error:
        sentences = [_sentence(detail, data) for detail in error.errors(include_input=False)]
        raise ConfigurationError("; ".join(f"{_SETTING}: {source}: {sentence}" for sentence in sentences)) from None


def _of_file(settings: Settings, path: Path, environment: Mapping[str, str]) -> list[Receiver]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{_SETTING}: {path} cannot be read: {type(error).__name__}") from None
    secrets = _Secrets(path.parent, environment)
    return [Receiver(entry, _sink(entry, secrets), settings.external_url) for entry in parse_receivers(text, str(path))]


@dataclass(frozen=True)
class _Secrets:
    """Where references lead. Raises `ConfigurationError` without the secret."""

    folder: Path
    environment: Mapping[str, str]

    def text(self, entry: ReceiverEntry, field: str) -> str | None:
        """A field's value, from the entry or from the file that it names."""
        file = getattr(entry, f"{field}_file")
        return self.filled(entry, field, getattr(entry, field)) if file is None else self._read(entry, field, file)

    def filled(self, entry: ReceiverEntry, field: str, value: str | None) -> str | None:
        """The value with `${NAME}` replaced."""

        def found(match: re.Match[str]) -> str:
            name = match.group(1)
            if not self.environment.get(name):
                raise ConfigurationError(
                    f"{_SETTING}: receiver {entry.name!r}: {field}: set the environment variable {name}"
                )
            return self.environment[name]

        return None if value is None else _REFERENCE.sub(found, value)

    def _read(self, entry: ReceiverEntry, field: str, file: str) -> str:
        where = f"{_SETTING}: receiver {entry.name!r}: {field}_file: {file}"
        try:
            text = (self.folder / file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{where} cannot be read: {type(error).__name__}") from None
        if not text:
            raise ConfigurationError(f"{where} is empty")
        return text


def _sink(entry: ReceiverEntry, secrets: _Secrets) -> Sink:
    if entry.type == "alertmanager" and entry.urls:
        urls = [secrets.filled(entry, "urls", url) or "" for url in entry.urls]
    else:
        urls = [secrets.text(entry, "url") or ADDRESS]
    for url in urls:
        _check_address(url, f"{_SETTING}: receiver {entry.name!r}: url")
    secret = secrets.text(entry, "secret")
    return _SINKS[entry.type](entry, urls, secret)


_SINKS: Mapping[str, Callable[[ReceiverEntry, Sequence[str], str | None], Sink]] = {
    "alertmanager": lambda entry, urls, _: Alertmanager(urls, resend_ms=entry.resend_seconds * 1000),
    "webhook": lambda entry, urls, secret: (EscalationWebhook if entry.escalation else Webhook)(urls, secret),
    "pagerduty": lambda _, urls, secret: PagerDuty(secret or "", urls[0]),
    "slack": lambda _, urls, __: Slack(urls[0]),
    "dingtalk": lambda _, urls, secret: DingTalk(urls[0], secret),
    "feishu": lambda _, urls, secret: Feishu(urls[0], secret),
    "wecom": lambda _, urls, __: WeCom(urls[0]),
}


def _check_address(url: str, where: str) -> None:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        # Without the value: an address may hold a secret.
        raise ConfigurationError(f"{where} must begin with http:// or https:// and name a host")


def _sentence(detail: Any, data: Any) -> str:
    where = list(detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    if len(where) >= 2 and where[0] == "receivers" and isinstance(where[1], int):
        entry = data["receivers"][where[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        receiver = f"receiver {name!r}" if isinstance(name, str) else f"receiver number {where[1] + 1}"
        field = ".".join(str(part) for part in where[2:])
        return f"{receiver}: {field}: {message}" if field else f"{receiver}: {message}"
    return f"{'.'.join(str(part) for part in where)}: {message}" if where else message
