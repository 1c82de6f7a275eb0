"""What services share about Kafka: its clients, and the topics."""

from services.common.kafka.clients import admin_client, consumer_client, producer_client
from services.common.kafka.topic_ids import topic_ids
from services.common.kafka.topics import MAX_LETTER_BYTES, ensure_topics

__all__ = ["MAX_LETTER_BYTES", "admin_client", "consumer_client", "ensure_topics", "producer_client", "topic_ids"]
