"""What cannot be used becomes one dead letter with reason and origin; its neighbours count."""

from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from bus import Bus, Record
from schemas.codec import Event, Flaw, decode
from schemas.topics import COUNTERS, DEAD_LETTERS, RESULTS, TOPICS, Topic
from tests.histories import record
from tests.poison import LARGEST, poison
from tests.stats.running import everything, letters, totals
from tests.stats.test_worker import run, service

GOOD, BAD = 500, 10_000
WRITTEN = [topic for topic in TOPICS if topic not in (COUNTERS, DEAD_LETTERS)]
"""All that stats does not write itself."""


def spoiled(seed: int) -> list[tuple[Topic, bytes | None]]:
    """Return bad records and where they go: most of them on results."""
    rng = Random(seed)
    topics = (RESULTS, RESULTS, RESULTS, *WRITTEN)
    made = [(rng.choice(topics), poison(service(10_000 + n), rng)) for n in range(BAD - 5)]
    return [*made, *((RESULTS, LARGEST(service(1), rng)) for _ in range(5))]


@pytest.mark.timeout(300)
async def test_ten_thousand_bad_records_are_ten_thousand_dead_letters(
    log: Bus, tmp_path: Path
) -> None:
    good = [record(service(n)) for n in range(GOOD)]
    bad = [Record(topic, f"r{n}", b"k", value) for n, (topic, value) in enumerate(spoiled(1))]
    mixed = [*good, *bad]
    Random(2).shuffle(mixed)
    for start in range(0, len(mixed), 500):
        await log.publish(mixed[start : start + 500])
    await run(log, tmp_path / "first")
    once = await letters(log)
    assert (await totals(log))["yinhu", "services_delivered"] == GOOD
    assert len(once) == BAD
    assert {len(group) for group in once.values()} == {1}
    await run(log, tmp_path / "again-from-0")
    assert (await letters(log)).keys() == once.keys()
    assert (await totals(log))["yinhu", "services_delivered"] == GOOD
    await _tell_the_truth(log, once)


async def _tell_the_truth(log: Bus, found: dict[str, list[Event]]) -> None:
    for topic in WRITTEN:
        for partition, stored in await everything(log, topic):
            origin = f"{partition.topic}/{partition.number}/{stored.offset}"
            if origin in found:
                data, body = found[origin][0].data, stored.value or b""
                assert data.rule
                assert data.detail
                assert (data.size, data.sha256) == (len(body), sha256(body).hexdigest())
                assert (
                    b64decode(data.value) == body if data.value else len(body) > 65_536 or not body
                )


@pytest.mark.parametrize("seed", range(20))
def test_the_codec_never_raises(seed: int) -> None:
    rng = Random(seed)
    for serial in range(300):
        assert isinstance(decode(poison(service(serial), rng)), Flaw)
