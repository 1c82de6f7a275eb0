"""The generated documents are fresh, sound, and say what the models do."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker

from schemas.asyncapi import examples
from schemas.cli import schemas
from schemas.dead_letters import DeadLetter
from schemas.documents import DOCUMENTS, PAYLOADS, ROOT, Document
from services.common.errors import RefusedEvent
from services.common.settings import EVENT_KINDS
from services.ingest.protocol import BlockId
from services.ingest.refusals import Refusal, letter
from tests.schemas.verdicts import KINDS, NAMES, by_reference, encode, example


def validator(topic: str) -> Draft202012Validator:
    """Of the schema as it stands in the repository, which is what others use."""
    schema = json.loads((ROOT / f"schemas/generated/{topic}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


VALIDATORS = {topic: validator(topic) for topic in PAYLOADS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path)
def test_documents_are_fresh(document: Document) -> None:
    assert not document.is_stale(ROOT), "run `make generate`"


def test_generate_writes_what_check_misses(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(schemas, ["check", "--root", str(tmp_path)]).exit_code == 1
    written = run(schemas, ["generate", "--root", str(tmp_path)])
    assert written.exit_code == 0
    assert written.output.splitlines() == [document.path for document in DOCUMENTS]
    assert run(schemas, ["check", "--root", str(tmp_path)]).exit_code == 0
    assert run(schemas, ["generate", "--root", str(tmp_path)]).output == ""

    spoiled = tmp_path / DOCUMENTS[0].path
    spoiled.write_text("{}", encoding="utf-8")
    stale = run(schemas, ["check", "--root", str(tmp_path)])
    assert stale.exit_code == 1
    assert DOCUMENTS[0].path in stale.output


def test_no_document_is_left_of_what_is_no_longer_generated() -> None:
    folder = ROOT / "schemas/generated"
    # The rules' own is held fresh by tests/alerts, that of the API by tests/standalone.
    known = {
        "schemas/generated/rules.schema.json",
        "schemas/generated/openapi.json",
        *(document.path for document in DOCUMENTS),
    }
    assert {path.relative_to(ROOT).as_posix() for path in folder.iterdir()} <= known


def test_every_kind_of_event_is_documented() -> None:
    assert set(PAYLOADS) == {*EVENT_KINDS, "dlq"}
    assert set(KINDS) == set(EVENT_KINDS)


@pytest.mark.parametrize("topic", PAYLOADS)
def test_examples_satisfy_their_schema(topic: str) -> None:
    for payload in examples(topic).values():
        VALIDATORS[topic].validate(payload)


def test_the_dead_letter_of_the_documents_is_one() -> None:
    letter = DeadLetter.model_validate_json(json.dumps(examples("dlq")["refused"]))
    assert json.loads(base64.b64decode(letter.value)) == {"value": "1.234"}


@pytest.mark.parametrize(("key", "value"), [(b"k", b"{"), (None, None), (b"\xff", b"\xff")])
def test_what_ingest_writes_of_a_refusal_is_a_dead_letter(key: bytes | None, value: bytes | None) -> None:
    block = BlockId("campaign.orders", 2, "a", start=5, end=9, opened_at=1_794_400_000_123)
    _, text = letter(block, Refusal(7, key, value, "invalid_json", "not an object"), limit=1 << 20)
    VALIDATORS["dlq"].validate(json.loads(text))
    record = DeadLetter.model_validate_json(text)
    assert (record.partition, record.offset, base64.b64decode(record.value)) == (2, 7, value or b"")


REMOVED: list[tuple[str, str | None, dict[str, Any]]] = [
    (kind, name, {field: gone})
    for kind, name in NAMES
    for field in example(kind, name)
    for gone in (..., None)
    if field != "event_name"
]
CHANGED: list[tuple[str, str | None, dict[str, Any]]] = [
    *[(kind, None, {"event_id": text}) for kind in KINDS for text in ("", "x" * 64, "x" * 65, "🛒" * 64, 5)],
    *[(kind, None, {"campaign_id": text}) for kind in KINDS for text in ("a b", "A-z_0.9", "x" * 65)],
    *[(kind, None, {"channel": text}) for kind in KINDS for text in ("", "x" * 32, "x" * 33, 5)],
    *[(kind, None, {"region": text}) for kind in KINDS for text in ("CN-31", "unknown", "CN", "", "cn-31")],
    *[(kind, None, {"unheard_of": {"a": [1]}}) for kind in KINDS],
    *[("traffic", None, {"user_id": text}) for text in ("", "x" * 128, "x" * 129)],
    *[("traffic", None, {"event_name": name}) for name in ("scroll", "x" * 64, "x" * 65, "Scroll", "")],
    *[("traffic", None, {"engagement_time_msec": n}) for n in (0, 5.0, 1.5, -1, "5", True, 2**53, 2**53 + 1)],
    ("traffic", None, {"item_id": 5}),
    ("traffic", None, {"item_id": ""}),
    ("traffic", None, {"item_id": []}),
    *[("orders", None, {"value": v}) for v in (0, 1.5, "1.50", -1, "-1", "1.234", "1.2300", "", "x", 10**13, True)],
    *[("orders", None, {"value": v}) for v in ("9999999999999.99", "10000000000000", "0" * 20 + "1")],
    *[("orders", None, {"currency": c}) for c in ("CNY", "cny", "", "CNYY", 156)],
    *[("orders", None, {"new_customer": b}) for b in (True, False, 0, "true")],
    *[("orders", None, {"event_name": n}) for n in ("order_paid", "order_lost", "page_view")],
    *[("orders", None, {"items": json.loads(text)}) for text in ("[]", "{}", '"x"', "[5]", "[{}]", "[null]")],
    *[
        ("orders", None, {"items": [{"item_id": "a", "quantity": 1, "price": 1, **line}]})
        for line in (
            {},
            {"quantity": 0},
            {"quantity": 1.0},
            {"quantity": 1.5},
            {"quantity": 10**6 + 1},
            {"price": "x"},
            {"item_category": None},
            {"item_id": None},
            {"item_id": ""},
        )
    ],
    ("coupons", "coupon_issued", {"face_value": ..., "currency": ...}),
    ("coupons", "coupon_redeemed", {"event_name": "coupon_lost"}),
    *[("inventory", None, {"available": n}) for n in (0, -1, 1.5, "1")],
    *[("spend", None, {"clicks": n}) for n in (0, -1, 1.5, "1")],
]


@pytest.mark.parametrize(("kind", "name", "changes"), REMOVED + CHANGED)
def test_the_schema_judges_as_the_model_does(kind: str, name: str | None, changes: dict[str, Any]) -> None:
    document = example(kind, name, **changes)
    by_model = not isinstance(by_reference(kind, encode(document)), RefusedEvent)
    assert VALIDATORS[kind].is_valid(document) == by_model


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for child in node.values() for ref in references(child)]
    if isinstance(node, list):
        return [ref for child in node for ref in references(child)]
    return []


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    path = ROOT / "schemas/generated/asyncapi.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    found = references({**document, "examples": None})
    assert len(found) == len(PAYLOADS) * 4
    for reference in found:
        file, _, pointer = reference.partition("#")
        target = json.loads((path.parent / file).read_text(encoding="utf-8")) if file else document
        for part in pointer.strip("/").split("/") if pointer else ():
            target = target[part]
        assert target


def test_the_asyncapi_document_names_every_topic_and_its_key() -> None:
    document = json.loads((ROOT / "schemas/generated/asyncapi.json").read_text(encoding="utf-8"))
    assert {channel["address"] for channel in document["channels"].values()} == {
        f"campaign.{topic}" for topic in PAYLOADS
    }
    for kind in KINDS:
        message = document["components"]["messages"][kind]
        key = message["bindings"]["kafka"]["key"]["description"].split("`")[1]
        assert {"traffic": "user_id", "orders": "order_id", "coupons": "coupon_id"}.get(kind, key) == key
        assert all(key in shown["payload"] for shown in message["examples"])
