"""The log on Apache Kafka, through aiokafka: transactions, groups, topics made as they are kept."""

from bus.kafka.connection import KafkaBus, connect

__all__ = ["KafkaBus", "connect"]
