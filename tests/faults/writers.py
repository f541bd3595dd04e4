"""Who wrote what lies in a partition: the batches of a broker's own files, with their producers.

No client is told of it. An owner's transactional id has one producer id, and each claim a new
epoch: so a batch of an older epoch behind one of a newer is what a zombie has written.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.topics import Topic

HEAD = struct.Struct(">qiibIhiqqqhii")
"""A batch up to its first record."""
FRAMED = 12
"""Bytes before what the length of a batch counts."""
TRANSACTIONAL, CONTROL = 16, 32
COMMIT = b"\x00\x00\x00\x01"
"""What stands in the key of a control record that commits."""


class Written(NamedTuple):
    """One batch: by which producer, in which of its epochs; `commits` says how a marker ends."""

    offset: int
    producer: int
    epoch: int
    records: int
    transactional: bool
    commits: bool | None


class Tally(NamedTuple):
    """Records of transactions, those that were aborted, and what zombies have written of them.

    `claims` are how many epochs wrote; `zombies` those records that anybody can see, `refused`
    those that only lie there.
    """

    claims: int = 0
    committed: int = 0
    aborted: int = 0
    zombies: int = 0
    refused: int = 0


def batches(place: Path) -> Iterator[Written]:
    """Yield the batches of a partition, which is a folder of a broker, in order."""
    for segment in sorted(place.glob("*.log")):
        data, at = segment.read_bytes(), 0
        while at + HEAD.size <= len(data):
            offset, length, *_, flags, _, _, _, producer, epoch, _, count = HEAD.unpack_from(
                data, at
            )
            if not length:  # what is reserved for later
                break
            body = data[at + HEAD.size : at + FRAMED + length]
            commits = COMMIT in body[:12] if flags & CONTROL else None
            yield Written(offset, producer, epoch, count, bool(flags & TRANSACTIONAL), commits)
            at += FRAMED + length


def tally(found: Iterable[Written]) -> Tally:
    """Add up what transactions have written to one partition, and who was too late."""
    open_: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    newest: dict[int, int] = {}
    claims: set[tuple[int, int]] = set()
    committed = aborted = zombies = refused = 0
    for one in found:
        if not one.transactional:
            continue
        if one.commits is None:
            late = one.epoch < newest.get(one.producer, 0)
            newest[one.producer] = max(one.epoch, newest.get(one.producer, 0))
            claims.add((one.producer, one.epoch))
            open_[one.producer].append((one.records, late))
            continue
        for records, late in open_.pop(one.producer, ()):
            if one.commits:
                committed, zombies = committed + records, zombies + late * records
            else:
                aborted, refused = aborted + records, refused + late * records
    return Tally(len(claims), committed, aborted, zombies, refused)


def told(data: Path, topic: Topic) -> Tally:
    """Add up what transactions have written to a topic, by the files of the first node."""
    found = [tally(batches(place)) for place in (data / "node-1" / "log").glob(f"{topic.name}-*")]
    return Tally(*(sum(column) for column in zip(*found, strict=True)))
