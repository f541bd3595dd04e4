"""Intake on a real Apache Kafka: the same promises."""

import uuid

from bus import kafka as bus
from bus.keys import Keys
from schemas.topics import RESULTS, TOPICS
from tests.intake.station import Clock, node, open_station, service


async def test_what_is_accepted_lies_in_kafka_and_new_nodes_are_known_at_once(
    kafka: str, keys: Keys, clock: Clock
) -> None:
    name = f"n-{uuid.uuid4().hex}"
    async with bus.connect(kafka) as log:
        await log.create(TOPICS)
        async with open_station(log, keys, clock) as station:
            early = await station.post("/v1/services", service(id=f"{name}.a", node_id=name))
            assert (early.status_code, early.json()["rule"]) == (422, "unknown_node")
            put = await station.put(f"/v1/registry/nodes/{name}", node(name, "hub"))
            assert put.status_code == 202, put.text
            held = station.holding(name)
            answer = await held.post("/v1/services", service(id=f"{name}.a", node_id=name))
            assert answer.status_code == 202, answer.text
            topic, partition, offset = answer.json()["position"].split(":")
            assert (topic, offset.isdigit()) == (RESULTS.name, True)
            assert int(partition) < log.partitions(RESULTS)
