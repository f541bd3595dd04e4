"""A stock Faust app that counts facts per node in a Table: `python -m bench.stock SERVERS FACTS`.

It prints how many facts a second it counted, timed from the first to the last.
"""

import asyncio
import json
import logging
import sys
import time
import uuid

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.facts import fact


async def main(servers: str, facts: int) -> None:
    """Fill a topic, count it, print the rate."""
    name = f"stock-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 4, 1), NewTopic(f"{name}-nodes-changelog", 4, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5)
    await producer.start()
    for serial in range(facts):
        made = fact(serial)
        await producer.send(name, made.value, key=made.key)
    await producer.stop()
    print(facts / await count(servers, name, facts))


async def count(servers: str, name: str, facts: int) -> float:
    """Return how many seconds a stock app takes from the first fact to the last."""
    app = faust.App(
        name, broker=f"kafka://{servers}", store="memory://", web_enabled=False,
        topic_partitions=4, topic_disable_leader=True, consumer_auto_offset_reset="earliest",
    )  # fmt: skip
    table = app.Table("nodes", default=int, partitions=4)
    times: list[float] = []
    done = asyncio.Event()

    @app.agent(app.topic(name, value_type=bytes, value_serializer="raw", key_type=bytes))
    async def counting(stream: faust.StreamT[bytes]) -> None:
        async for value in stream:
            table[json.loads(value)["data"]["node_id"]] += 1
            times.append(time.perf_counter())
            if len(times) >= facts:
                done.set()

    app.finalize()
    app.loop = asyncio.get_running_loop()
    await app.maybe_start()
    await done.wait()
    await app.stop()
    return times[-1] - times[0]


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
