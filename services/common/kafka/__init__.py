"""What services share about Kafka: the topics."""

from services.common.kafka.topic_ids import topic_ids
from services.common.kafka.topics import MAX_LETTER_BYTES, ensure_topics

__all__ = ["MAX_LETTER_BYTES", "ensure_topics", "topic_ids"]
