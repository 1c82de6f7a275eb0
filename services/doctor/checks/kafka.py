"""Kafka: whether it lets us in, and whether topics and consumer group are as Warroom needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError

from services.common.kafka import MAX_LETTER_BYTES, admin_client, consumer_client
from services.common.kafka.trouble import troubles
from services.common.settings import Settings
from services.doctor.finding import Finding, fail, ok, skipped, warn
from services.doctor.patient import Patient

LEAST_MESSAGE_BYTES = 1 << 20
LEAST_RETENTION_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Topic:
    """What Kafka says of a topic: replicas and those in step, by partition; its configuration, where it is told."""

    replicas: Mapping[int, int]
    in_step: Mapping[int, int]
    leaderless: Sequence[int] = ()
    config: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The consumer group: how many members, and offsets by (topic, partition)."""

    members: int
    committed: Mapping[tuple[str, int], int] = field(default_factory=dict)
    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)


async def kafka(patient: Patient) -> Sequence[Finding]:
    """Everything about it; what follows from a broker that is away is not said again."""
    settings = patient.settings
    if settings.kafka_bootstrap_servers is None:
        return [skipped("kafka", "WARROOM_KAFKA_BOOTSTRAP_SERVERS is not set")]
    found = await troubles(settings)
    findings = judge_servers(found)
    if all(found.values()):
        return findings
    try:
        topics = await read_topics(settings)
        findings += judge_topics(topics, settings)
        known = [name for name in settings.topics.values() if name in topics]
        findings += judge_group(await _read_group(settings, topics, known), settings, embedded=patient.store is None)
    except (KafkaError, OSError) as error:
        findings.append(
            fail("kafka", f"a question was refused: {error!r}", "see that our user may describe topics and groups")
        )
    return findings


def judge_servers(found: Mapping[str, str | None]) -> list[Finding]:
    """What is wrong with each bootstrap server, None where nothing is."""
    well = [server for server, trouble in found.items() if trouble is None]
    bad = {server: trouble for server, trouble in found.items() if trouble is not None}
    if not found:
        return [fail("kafka", "WARROOM_KAFKA_BOOTSTRAP_SERVERS names no server", "set it to host:port")]
    remedy = "docs/operations.md, A broker is lost" if well else "docs/kafka.md says how a Kafka is reached"
    make = warn if well else fail
    findings = [make("kafka", f"{server}: {trouble}", remedy) for server, trouble in bad.items()]
    return findings + ([ok("kafka", f"{', '.join(well)} lets us in")] if well else [])


def judge_topics(topics: Mapping[str, Topic], settings: Settings) -> list[Finding]:
    """All six. `topics` holds those that exist."""
    findings: list[Finding] = []
    for kind, name in settings.topics.items():
        if name not in topics:
            findings.append(
                fail(
                    "topics",
                    f"{name} does not exist",
                    "start `warroom ingest`, which creates it, or create it yourself",
                )
            )
            continue
        topic = topics[name]
        findings += _judge_replicas(name, topic, settings)
        if topic.config is not None:
            findings += _judge_config(name, topic, topic.config, letters=kind == "dlq")
    if any(topic.config is None for topic in topics.values()):
        findings.append(skipped("topics", "the broker does not tell how its topics are configured"))
    return findings or [ok("topics", f"all {len(settings.topics)} are as they should be")]


def _judge_replicas(name: str, topic: Topic, settings: Settings) -> list[Finding]:
    findings = []
    count = len(topic.replicas)
    if topic.leaderless:
        findings.append(
            fail(
                "topics",
                f"{name}: {len(topic.leaderless)} of {count} partitions have no leader",
                "bring the broker back that holds them: docs/operations.md, A broker is lost",
            )
        )
    behind = sum(topic.in_step[number] < replicas for number, replicas in topic.replicas.items())
    if behind and not topic.leaderless:
        findings.append(
            warn(
                "topics",
                f"{name}: {behind} of {count} partitions have a replica that is not in step",
                "is a broker down, or slow? docs/operations.md, A broker is lost",
            )
        )
    least = min(topic.replicas.values(), default=0)
    if least < settings.topic_replication_factor:
        findings.append(
            warn(
                "topics",
                f"{name} has {least} replica(s), and WARROOM_TOPIC_REPLICATION_FACTOR is "
                f"{settings.topic_replication_factor}",
                "kafka-reassign-partitions.sh adds replicas to a topic that exists",
            )
        )
    if count < settings.topic_partitions:
        findings.append(
            warn(
                "topics",
                f"{name} has {count} partition(s), and WARROOM_TOPIC_PARTITIONS is {settings.topic_partitions}",
                "lower the setting; partitions that are added move keys (docs/kafka.md): add them when nothing is on",
            )
        )
    return findings


def _judge_config(name: str, topic: Topic, config: Mapping[str, str], *, letters: bool) -> list[Finding]:
    findings = []
    replicas = min(topic.replicas.values(), default=1)
    in_sync = int(config.get("min.insync.replicas", "1"))
    if in_sync > replicas:
        findings.append(
            fail(
                "topics",
                f"{name}: min.insync.replicas is {in_sync}, and it has {replicas} replica(s): nothing can be written",
                f"{_alter(name)} min.insync.replicas={max(1, replicas - 1)}",
            )
        )
    elif replicas >= 3 and in_sync < 2:
        findings.append(
            warn(
                "topics",
                f"{name}: min.insync.replicas is {in_sync}: what one broker alone acknowledged is lost with it",
                f"{_alter(name)} min.insync.replicas=2",
            )
        )
    elif replicas > 1 and in_sync == replicas:
        findings.append(
            warn(
                "topics",
                f"{name}: min.insync.replicas is {in_sync} of {replicas}: nothing can be written once a broker is away",
                f"{_alter(name)} min.insync.replicas={replicas - 1}",
            )
        )
    if config.get("unclean.leader.election.enable") == "true":
        findings.append(
            warn(
                "topics",
                f"{name}: unclean.leader.election.enable is true: acknowledged records may be lost",
                f"{_alter(name)} unclean.leader.election.enable=false",
            )
        )
    if "compact" in config.get("cleanup.policy", "delete"):
        findings.append(
            fail(
                "topics",
                f"{name}: cleanup.policy is {config['cleanup.policy']}: compaction keeps one event a key",
                f"{_alter(name)} cleanup.policy=delete",
            )
        )
    kept = int(config.get("retention.ms", "-1"))
    if 0 <= kept < LEAST_RETENTION_MS:
        findings.append(
            warn(
                "topics",
                f"{name}: retention.ms is {kept}, {kept / 3_600_000:.1f} h: what an outage longer than that leaves "
                "unread is lost",
                f"{_alter(name)} retention.ms={7 * LEAST_RETENTION_MS}",
            )
        )
    largest, least = int(config.get("max.message.bytes", LEAST_MESSAGE_BYTES)), LEAST_MESSAGE_BYTES
    if letters:
        least = MAX_LETTER_BYTES
    # Kafka's own default is a little more than 1 MiB.
    if largest < least:
        findings.append(
            warn(
                "topics",
                f"{name}: max.message.bytes is {largest}, less than {least}: "
                + (
                    "large letters are sent without their bytes" if letters else "Kafka refuses what ingest would judge"
                ),
                f"{_alter(name)} max.message.bytes={least}",
            )
        )
    return findings


def judge_group(group: Group, settings: Settings, *, embedded: bool) -> list[Finding]:
    """Members, lag, and records that went before they were read. An embedded ingest reads without joining."""
    findings = []
    name = settings.consumer_group
    if not group.members and not embedded:
        findings.append(fail("group", f"{name} has no members: nothing is read", "start `warroom ingest`"))
    lost = {
        place: start - group.committed[place]
        for place, start in group.starts.items()
        if place in group.committed and start > group.committed[place]
    }
    if lost:
        (topic, partition), _ = max(lost.items(), key=lambda each: each[1])
        findings.append(
            fail(
                "group",
                f"{sum(lost.values())} records, of {topic}/{partition} the most, went from Kafka before they were read",
                "docs/operations.md, Records are missing",
            )
        )
    lag = sum(max(0, end - group.committed.get(place, group.starts.get(place, 0))) for place, end in group.ends.items())
    most = settings.batch_max_rows * max(1, len(group.ends))
    if lag > most:
        findings.append(
            warn("group", f"{name} is {lag} records behind, more than a block a partition", "docs/operations.md, Lag")
        )
    return findings or [ok("group", f"{name}: {group.members} member(s), {lag} records behind")]


async def read_topics(settings: Settings) -> dict[str, Topic]:
    """Those of our topics that exist. Raises `KafkaError`."""
    admin = admin_client(settings, request_timeout_ms=5_000)
    try:
        await admin.start()
        present = set(await admin.list_topics()) & set(settings.topics.values())
        described = await admin.describe_topics(sorted(present)) if present else []
        configs = await _configs(admin, sorted(present))
    finally:
        await admin.close()
    return {each["topic"]: _topic(each["partitions"], configs.get(each["topic"])) for each in described}


async def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    except (KafkaError, IncompatibleBrokerVersion, AttributeError, IndexError):
        # The embedded broker does not know the question.
        return {}
    found: dict[str, dict[str, str]] = {}
    for answer in answers:
        for error, _, _, name, entries in answer.resources:
            if error == 0:
                found[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return found


def _topic(partitions: Sequence[Mapping[str, Any]], config: Mapping[str, str] | None) -> Topic:
    return Topic(
        replicas={each["partition"]: len(each["replicas"]) for each in partitions},
        in_step={each["partition"]: len(each["isr"]) for each in partitions},
        leaderless=[each["partition"] for each in partitions if each["leader"] < 0],
        config=config,
    )


async def _read_group(settings: Settings, topics: Mapping[str, Topic], names: Sequence[str]) -> Group:
    places = [
        TopicPartition(name, number)
        for name in names
        if name != settings.topics["dlq"]
        for number in topics[name].replicas
    ]
    admin = admin_client(settings, request_timeout_ms=5_000)
    consumer = consumer_client(settings, enable_auto_commit=False, request_timeout_ms=5_000)
    try:
        await asyncio.gather(admin.start(), consumer.start())
        described = await admin.describe_consumer_groups([settings.consumer_group])
        members = sum(len(group[5]) for answer in described for group in answer.groups)
        held = await admin.list_consumer_group_offsets(settings.consumer_group, partitions=places) if places else {}
        starts = await consumer.beginning_offsets(places) if places else {}
        ends = await consumer.end_offsets(places) if places else {}
    finally:
        await consumer.stop()
        await admin.close()
    return Group(
        members=members,
        committed={(at.topic, at.partition): each.offset for at, each in held.items() if each.offset >= 0},
        starts={(at.topic, at.partition): offset for at, offset in starts.items()},
        ends={(at.topic, at.partition): offset for at, offset in ends.items()},
    )


def _alter(name: str) -> str:
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config"
