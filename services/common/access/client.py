"""What commands show to a Warroom that asks who they are."""

from __future__ import annotations

from services.common.errors import ConfigurationError
from services.common.settings import Settings


def credentials(settings: Settings) -> dict[str, str]:
    """The headers with the key of `WARROOM_API_KEY_FILE`; none without it. Raises `ConfigurationError`."""
    path = settings.api_key_file
    if path is None:
        return {}
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"WARROOM_API_KEY_FILE {path} cannot be read: {error}") from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            f"WARROOM_API_KEY_FILE {path} holds no key; it is one line, as `warroom keys add` said it"
        )
    return {"Authorization": f"Bearer {key}"}
