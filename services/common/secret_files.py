"""Secrets out of files: each secret setting `WARROOM_X` may be left to `WARROOM_X_FILE`, as Docker and Kubernetes mount
them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from services.common.errors import ConfigurationError

MOST_BYTES = 64 << 10


class SecretFiles(PydanticBaseSettingsSource):
    """The source of settings that reads them."""

    def __call__(self) -> dict[str, Any]:
        """The secrets by field. Raises `ConfigurationError` that names setting and file, never what is in it."""
        files = secret_files(self.settings_cls, os.environ)
        return {name: read_secret(_setting(self.settings_cls, name) + "_FILE", file) for name, file in files.items()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not asked: all are read in one go."""
        raise NotImplementedError


def secret_files(settings: type[BaseSettings], environment: Mapping[str, str]) -> dict[str, Path]:
    """The files that the environment names, by field. Raises `ConfigurationError` for a secret that is given twice."""
    given = {name.upper(): value for name, value in environment.items() if value}
    found = {}
    for name, field in settings.model_fields.items():
        if SecretStr not in (field.annotation, *get_args(field.annotation)):
            continue
        setting = _setting(settings, name)
        if (file := given.get(f"{setting}_FILE")) is None:
            continue
        if setting in given:
            raise ConfigurationError(f"{setting} and {setting}_FILE are both set; keep one of them")
        found[name] = Path(file)
    return found


def read_secret(setting: str, file: Path) -> str:
    """The text of a file without the line's end. Raises `ConfigurationError`, in which `setting` says who names it."""
    try:
        with file.open("rb") as stream:
            text = stream.read(MOST_BYTES + 1).decode()
    except OSError as error:
        raise ConfigurationError(f"{setting}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{setting}: {file} is no text in UTF-8") from None
    if len(text) > MOST_BYTES:
        raise ConfigurationError(f"{setting}: {file} is larger than a secret may be, {MOST_BYTES} bytes")
    if not (secret := text.rstrip("\r\n")):
        raise ConfigurationError(f"{setting}: {file} is empty")
    return secret


def open_to_all(file: Path) -> bool:
    """Whether every user of the machine may read it; False when that cannot be seen."""
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _setting(settings: type[BaseSettings], name: str) -> str:
    return f"{settings.model_config.get('env_prefix', '')}{name}".upper()
