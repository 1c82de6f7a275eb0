"""Tests of the festival, the replay and their way into Kafka."""
