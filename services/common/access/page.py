"""The page where people sign in. It needs no script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from importlib import resources
from string import Template
from typing import Final, Literal
from urllib.parse import quote

from fastapi import Response

Language = Literal["en", "zh"]

_WORDS: Final[dict[str, dict[Language, str]]] = {
    "lead": {"en": "Sign in to see your campaigns.", "zh": "登录后查看您的活动。"},
    "key": {"en": "API key", "zh": "API 密钥"},
    "enter": {"en": "Sign in", "zh": "登录"},
    "provider": {"en": "Sign in with your organisation", "zh": "使用组织账号登录"},
    "wrong_key": {
        "en": "This key is not known, or it has ended.",
        "zh": "密钥不存在或已失效。",
    },
    "refused": {
        "en": "Your organisation's sign-in did not succeed. Try again.",
        "zh": "组织账号登录未成功，请重试。",
    },
    "no_role": {
        "en": "You are known, but you have no role here. Ask whoever runs this Warroom.",
        "zh": "已识别您的身份，但您没有任何权限，请联系管理员。",
    },
    "away": {
        "en": "Your organisation's sign-in does not answer. Try again in a moment.",
        "zh": "组织登录服务无响应，请稍后再试。",
    },
}


def language_of(asked: str | None, accepted: str) -> Language:
    """The one that was asked for, else what the browser prefers."""
    if asked in ("en", "zh"):
        return "zh" if asked == "zh" else "en"
    first = accepted.split(",", maxsplit=1)[0].strip().lower()
    return "zh" if first.startswith("zh") else "en"


def inside(address: str | None) -> str:
    """Where to go on: a path of ours, never another site's address."""
    if (
        address is None
        or not address.startswith("/")
        or address.startswith(("//", "/\\", "/login"))
        or len(address) > 2000
        or not all(" " < letter < "\x7f" and letter != "\\" for letter in address)
    ):
        return "/"
    return address


@cache
def _file(name: str) -> str:
    return resources.files("services.common.access").joinpath(name).read_text(encoding="utf-8")


def policy() -> str:
    """Nothing is loaded, nothing runs; the form goes to us alone."""
    digest = b64encode(hashlib.sha256(_file("login.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def login_page(
    language: Language,
    following: str,
    *,
    keys: bool,
    provider: bool,
    problem: str = "",
    root: str = "",
    status: int = 200,
) -> Response:
    """The page. `following` is where to go on; `problem` one of the words above."""

    def word(name: str) -> str:
        return escape(_WORDS[name][language])

    behind = quote(following, safe="")
    other: Language = "en" if language == "zh" else "zh"
    form = (
        f'<form method="post" action="{escape(root)}/login">'
        f'<input type="hidden" name="next" value="{escape(following)}">'
        f'<input type="hidden" name="lang" value="{language}"><label for="key">{word("key")}</label>'
        '<input id="key" name="key" type="password" autocomplete="current-password" required autofocus maxlength="200">'
        f'<button type="submit">{word("enter")}</button></form>'
    )
    link = f'<a class="press" href="{escape(root)}/login/provider?next={behind}">{word("provider")}</a>'
    body = Template(_file("login.html")).substitute(
        lang=language,
        style=_file("login.css"),
        lead=word("lead"),
        problem=f'<p class="problem" role="alert">{word(problem)}</p>' if problem else "",
        provider=link if provider else "",
        form=form if keys else "",
        other_href=f"{escape(root)}/login?lang={other}&amp;next={behind}",
        other_lang=other,
        other="English" if other == "en" else "中文",
    )
    headers = {
        "Content-Security-Policy": policy(),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    return Response(body, status, headers, "text/html; charset=utf-8")
