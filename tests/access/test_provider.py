"""Tokens of a real provider: which are let in, and what happens when its keys change or it is away."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.common.access.claims import RoleRule, grants_of, matched
from services.common.access.provider import ASK_AGAIN_SECONDS, FRESH_SECONDS, STALE_SECONDS, Provider
from services.common.access.roles import Grant, Role, Scope
from services.common.errors import NotLetIn, ProviderUnavailable
from tests.access.op import Op, running_op

NOW_S = 1_794_355_230
API = "https://warroom.example"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def op() -> Iterator[Op]:
    with running_op() as found:
        yield found


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def altered(token: str, **claims: Any) -> str:
    header, body, signature = token.split(".")
    known = json.loads(urlsafe_b64decode(body + "=="))
    return f"{header}.{part({**known, **claims})}.{signature}"


def without_signature(op: Op) -> str:
    _, body, _ = op.token(NOW_S, API).split(".")
    return f"{part({'alg': 'none', 'kid': op.keys[0].kid})}.{body}."


def by_public_key_as_secret(op: Op) -> str:
    """The classic: HS256 with the provider's public key, which everybody knows, for a secret."""
    header = part({"alg": "HS256", "kid": op.keys[0].kid})
    body = part({"iss": op.issuer, "aud": API, "sub": "u-1", "exp": NOW_S + 300})
    # By hand: the library refuses to be misused so.
    signature = hmac.digest(op.keys[0].as_pem(private=False), f"{header}.{body}".encode(), "sha256")
    return f"{header}.{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def by_another_key(op: Op, kid: str | None) -> str:
    stranger = RSAKey.generate_key(2048, {"kid": kid or "stranger"})
    claims = {"iss": op.issuer, "aud": API, "sub": "u-1", "exp": NOW_S + 300}
    return jwt.encode({"alg": "RS256", "kid": stranger.kid}, claims, stranger, algorithms=["RS256"])


FORGED: dict[str, Callable[[Op], str]] = {
    "another audience": lambda op: op.token(NOW_S, "https://other.example"),
    "no audience": lambda op: op.token(NOW_S, None),
    "another issuer": lambda op: op.token(NOW_S, API, iss="https://evil.example"),
    "the issuer with a slash": lambda op: op.token(NOW_S, API, iss=op.issuer + "/"),
    "no issuer": lambda op: op.token(NOW_S, API, iss=None),
    "ended": lambda op: op.token(NOW_S, API, exp=NOW_S - 61),
    "no end": lambda op: op.token(NOW_S, API, exp=None),
    "an end that is no number": lambda op: op.token(NOW_S, API, exp="never"),
    "not yet": lambda op: op.token(NOW_S, API, nbf=NOW_S + 61),
    "issued in the future": lambda op: op.token(NOW_S, API, iat=NOW_S + 61),
    "nobody": lambda op: op.token(NOW_S, API, sub=None),
    "alg none": without_signature,
    "public key as secret": by_public_key_as_secret,
    "another key of the same name": lambda op: by_another_key(op, op.keys[0].kid),
    "a key of no name here": lambda op: by_another_key(op, None),
    "altered": lambda op: altered(op.token(NOW_S, API), groups=["warroom-admins"]),
    "cut": lambda op: op.token(NOW_S, API)[:-4],
    "encrypted": lambda op: op.token(NOW_S, API) + ".x.y",
    "long": lambda op: op.token(NOW_S, API, filler="x" * 20_000),
    "empty": lambda _: "",
    "no JSON": lambda _: "a.b.c",
    "header is a list": lambda op: f"{part([1])}.{op.token(NOW_S, API).split('.', 1)[1]}",
}


@pytest.mark.parametrize("forged", FORGED)
async def test_what_is_forged_is_not_let_in(op: Op, forged: str) -> None:
    provider = Provider(op.issuer)
    assert (await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000))["sub"] == "u-1"
    with pytest.raises(NotLetIn):
        await provider.verify(FORGED[forged](op), API, NOW_S * 1000)


@pytest.mark.parametrize("changes", [{"exp": NOW_S - 59}, {"nbf": NOW_S + 59}, {"aud": ["x", API]}])
async def test_clocks_may_differ_a_little(op: Op, changes: dict[str, Any]) -> None:
    assert await Provider(op.issuer).verify(op.token(NOW_S, API, **changes), API, NOW_S * 1000)


async def test_keys_rotate(op: Op) -> None:
    clock = Clock()
    provider = Provider(op.issuer, elapsed=clock)
    before = op.token(NOW_S, API)
    await provider.verify(before, API, NOW_S * 1000)
    op.rotate(elliptic=True)
    # At once it would let strangers make us ask the provider as often as they like.
    with pytest.raises(NotLetIn):
        await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)
    clock.now += ASK_AGAIN_SECONDS
    await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)
    with pytest.raises(NotLetIn):
        await provider.verify(before, API, NOW_S * 1000)


async def test_strangers_do_not_make_us_ask(op: Op) -> None:
    provider = Provider(op.issuer, elapsed=Clock())
    await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)
    asked = len(op.asked)
    for _ in range(20):
        with pytest.raises(NotLetIn):
            await provider.verify(by_another_key(op, None), API, NOW_S * 1000)
    assert len(op.asked) == asked


async def test_a_provider_that_is_away(op: Op) -> None:
    clock = Clock()
    provider = Provider(op.issuer, elapsed=clock)
    op.down = True
    with pytest.raises(ProviderUnavailable):
        await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)
    asked = len(op.asked)
    with pytest.raises(ProviderUnavailable):
        await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)
    assert len(op.asked) == asked, "it backs off"
    op.down = False
    clock.now += 120
    await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)
    op.down = True
    clock.now += FRESH_SECONDS + 1
    assert await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000), "what is known stays good for a while"
    clock.now += STALE_SECONDS
    with pytest.raises(ProviderUnavailable):
        await provider.verify(op.token(NOW_S, API), API, NOW_S * 1000)


async def test_a_provider_that_calls_itself_otherwise_is_not_believed(op: Op) -> None:
    provider = Provider(op.issuer)
    op.issuer = "https://other.example"
    with pytest.raises(ProviderUnavailable):
        await provider.endpoints()


RULES = (
    RoleRule(claim="groups", value="warroom-ops", role="operator", campaigns=("double-*",)),
    RoleRule(claim="groups", value="staff", role="viewer"),
    RoleRule(claim="realm_access.roles", value="boss", role="admin"),
    RoleRule(claim="https://x.example/role", value="boss", role="admin"),
)


@pytest.mark.parametrize(
    ("claims", "grants"),
    [
        ({}, []),
        ({"groups": "warroom-ops"}, [(Role.OPERATOR, ("double-*",))]),
        ({"groups": ["staff", "warroom-ops"]}, [(Role.OPERATOR, ("double-*",)), (Role.VIEWER, ("*",))]),
        ({"groups": ["Staff"]}, []),
        ({"groups": {"staff": True}}, []),
        ({"groups": [["staff"], 1, None]}, []),
        ({"realm_access": {"roles": ["boss"]}}, [(Role.ADMIN, ("*",))]),
        ({"realm_access": "boss"}, []),
        ({"https://x.example/role": "boss"}, [(Role.ADMIN, ("*",))]),
    ],
)
def test_claims_give_roles(claims: dict[str, Any], grants: list[tuple[Role, tuple[str, ...]]]) -> None:
    expected = tuple(Grant(role, Scope(campaigns)) for role, campaigns in grants)
    assert grants_of(claims, RULES) == expected
    # What a session keeps of them gives the same.
    assert grants_of(matched(claims, RULES), RULES) == expected
