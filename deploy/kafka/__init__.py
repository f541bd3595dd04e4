"""A real Apache Kafka on this machine, run from its published jars, without containers."""

from deploy.kafka.cluster import down, running, up
from deploy.kafka.record import Cluster, Node

__all__ = ["Cluster", "Node", "down", "running", "up"]
