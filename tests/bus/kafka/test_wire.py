"""A connection that ends while somebody is about to write."""

import asyncio

import pytest
import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from bus import kafka


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_whoever_writes_to_a_connection_that_has_just_ended_hears_it_as_an_error_of_kafkas(
    own_kafka: str, loop: type[asyncio.AbstractEventLoop]
) -> None:
    host, port = own_kafka.split(":")

    async def write() -> None:
        async with kafka.connect(own_kafka):
            for turns in range(8):
                opened = await create_conn(host, int(port))
                opened._writer.transport.abort()
                for _ in range(turns):
                    await asyncio.sleep(0)
                with pytest.raises(KafkaError):
                    await opened.send(MetadataRequest([]))

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(write())
