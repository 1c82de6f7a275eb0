"""What an alert tells whoever it wakes: texts in two languages, a picture of the curve, and where to look next."""

from services.alerts.pages.compose import as_text, compose
from services.alerts.pages.page import LANGUAGES, Language, Link, Page

__all__ = ["LANGUAGES", "Language", "Link", "Page", "as_text", "compose"]
