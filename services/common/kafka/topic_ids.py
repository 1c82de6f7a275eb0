"""The id that Kafka gives each topic when it is made: a topic made anew under the same name has another.

aiokafka 0.14 does not ask for it, so the request is spelled out here: Metadata, version 12, as KIP-516 defines it
(https://cwiki.apache.org/confluence/display/KAFKA/KIP-516%3A+Topic+Identifiers). Kafka has spoken it since 3.1.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from io import BytesIO
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

_NONE = bytes(16)
_METADATA = 3
_VERSION = 12


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # aiokafka is untyped
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        value = data.read(16)
        if len(value) != 16:
            raise ValueError("Buffer underrun decoding uuid")
        return value


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestStruct(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestStruct]):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = _METADATA

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestStruct]) -> _MetadataRequestStruct:
        return request_struct_class([(_NONE, topic, {}) for topic in self._topics], False, False, {})


async def topic_ids(admin: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, str]:
    """The ids, as 32 hexadecimal digits, of those topics that exist; none from a broker that gives its topics no ids.

    Asks one broker after the other until one answers. Raises `KafkaError` when none does.
    """
    try:
        answer: Any = await _ask_any(admin, _MetadataRequest(topics))
    except (NotImplementedError, IncompatibleBrokerVersion):
        return {}
    return {name: topic_id.hex() for error, name, topic_id, *_ in answer.topics if error == 0 and topic_id != _NONE}


async def _ask_any(admin: AIOKafkaAdminClient, request: _MetadataRequest) -> Any:
    nodes = [broker.nodeId for broker in admin._client.cluster.brokers()]
    random.shuffle(nodes)
    for node in nodes[1:]:
        try:
            return await admin._send_request(request, node)
        except KafkaError:
            continue
    return await admin._send_request(request, nodes[0] if nodes else None)
