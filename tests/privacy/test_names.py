"""Names of people: one hash, whichever way an event takes, and nothing of an address that tells who looked."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.people import DOMAINS, PersonKey, hashed
from services.ingest.people import discreet
from services.ingest.runs import run_decoder
from services.ingest.scan import ColumnNames, bare

KEY = PersonKey.of(bytes(range(100, 132)))
NAMES = ColumnNames(KEY)
NOW = 1_794_355_230_000

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)


def by_hand(domain: bytes, identity: str) -> str:
    """The documented hash, straight from the standard library."""
    digest = hashlib.blake2b(identity.encode(), key=bytes(range(100, 132)), digest_size=16, person=domain).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


@given(st.lists(st.one_of(ids, st.just(""), st.text("x", min_size=120, max_size=400)), max_size=12), st.integers(0, 3))
def test_a_column_is_hashed_as_the_document_says(identities: list[str], skip: int) -> None:
    column = pa.array(identities, pa.string()).slice(skip)
    for name, domain in DOMAINS.items():
        named = NAMES(name, column)
        named.validate(full=True)
        assert named.to_pylist() == [by_hand(domain, each) if each else "" for each in identities[skip:]]
        assert [hashed(KEY, name, each) for each in identities[skip:]] == named.to_pylist()


def test_a_long_key_is_taken_whole() -> None:
    one, other = (PersonKey.of(bytes(range(99)) + end) for end in (b"a", b"b"))
    assert ColumnNames(one)("user_id", pa.array(["u"])).to_pylist() == [hashed(one, "user_id", "u")]
    assert hashed(one, "user_id", "u") != hashed(other, "user_id", "u")


def test_a_device_is_not_a_user_of_the_same_name() -> None:
    assert len({hashed(KEY, column, "x") for column in DOMAINS}) == len(DOMAINS)


def _event(kind: str, user: str) -> dict[str, Any]:
    event = {
        "event_id": "e",
        "event_time": "2026-11-10T20:00:00Z",
        "campaign_id": "c",
        "user_id": user,
        "session_id": "s",
        "device_id": "d",
    }
    more: dict[str, dict[str, Any]] = {
        "traffic": {"event_name": "page_view", "page_location": "https://shop.example/?user=u"},
        "orders": {"event_name": "order_paid", "order_id": "o", "value": "1.00", "currency": "CNY"},
        "coupons": {"event_name": "coupon_claimed", "coupon_id": "k", "batch_id": "b"},
    }
    return {**event, **more[kind]}


@given(st.lists(ids, min_size=1, max_size=6))
def test_every_way_through_the_decoders_names_people_alike(users: list[str]) -> None:
    """Compiled (plain ASCII), by the event (escapes), by the reference (an explicit null), and mixed in a run."""
    for kind in ("traffic", "orders", "coupons"):
        decode = discreet(run_decoder(kind, {"CNY": Decimal(1)}), KEY)
        plain = [json.dumps(_event(kind, user), ensure_ascii=False).encode() for user in users]
        escaped = [json.dumps(_event(kind, user), ensure_ascii=True).encode() for user in users]
        careful = [json.dumps({**_event(kind, user), "channel": None}).encode() for user in users]
        for values in (plain, escaped, careful, [*plain, b"{}", *escaped, *careful]):
            run = decode(values, NOW)
            wanted = [hashed(KEY, "user_id", user) for user in users] * (1 if len(values) == len(users) else 3)
            assert run.columns["user_id"].to_pylist() == wanted
            if kind == "traffic":
                assert set(run.columns["session_id"].to_pylist()) == {hashed(KEY, "session_id", "s")}
                assert set(run.columns["page_location"].to_pylist()) == {"https://shop.example/"}
            else:
                assert set(run.columns["device_id"].to_pylist()) == {hashed(KEY, "device_id", "d")}


@pytest.mark.parametrize("length", [0, 129])
def test_what_is_no_id_is_refused_before_it_is_hashed(length: int) -> None:
    decode = discreet(run_decoder("traffic", {}), KEY)
    assert len(decode([json.dumps(_event("traffic", "u" * length)).encode()], NOW).refused) == 1


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("https://shop.example/p/1?user=jane&mail=jane%40example.com#top", "https://shop.example/p/1"),
        ("https://jane:secret@shop.example/p", "https://shop.example/p"),
        ("//jane@shop.example/p@2", "//shop.example/p@2"),
        ("https://shop.example#token=1", "https://shop.example"),
        ("/p//x@y?z", "/p//y"),
        ("/p/1", "/p/1"),
        ("?all", ""),
        ("", ""),
        ("https://商店.example/甲?乙", "https://商店.example/甲"),
    ],
)
def test_addresses_lose_what_tells_who_looked(address: str, left: str) -> None:
    kept = bare(pa.array(["x?y", address, "z"]))
    kept.validate(full=True)
    assert kept.to_pylist() == ["x", left, "z"]
    assert bare(pa.array(["q", address]).slice(1)).to_pylist() == [left]
