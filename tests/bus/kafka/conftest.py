"""The suite's fixtures on Kafka alone, and other clients that meet ours there."""

import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.bus.conftest import Log


@pytest.fixture
def log(kafka: str) -> Log:
    return Log("kafka", kafka)


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
def name() -> str:
    """A name for an owner or a group that nobody else has."""
    return f"n-{uuid.uuid4().hex}"
