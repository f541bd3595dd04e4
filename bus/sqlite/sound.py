"""Whether a log is whole: a sum for each record, as Kafka has one for each batch, and no gaps.

The log is the only copy of every fact: what is damaged must be refused, never skipped.
"""

import sqlite3
from collections.abc import Iterable
from zlib import crc32

SHIFT = 40
"""Bits of a row id that hold the offset: a million million records per partition."""
_SPREAD, _PRIME = 1_000_003, 4_294_967_291  # no bit of either number gets lost below the prime


def checksum(offset: int, timestamp: int, key: bytes, value: bytes | None) -> int:
    """Return what is written beside a record."""
    seed = (offset * _SPREAD + timestamp) % _PRIME
    return crc32(value or b"", crc32(key, seed))


def others(rows: Iterable[tuple[int, int, bytes, bytes | None, int | None]]) -> list[int]:
    """Return the offsets of records that are not the ones that were written.

    It spells `checksum` out: a call per record would take as long as the sum. One without a sum is
    not the one either: where a file is torn SQLite reads zeros, which say that all is missing.
    """
    return [
        offset
        for offset, timestamp, key, value, crc in rows
        if crc != crc32(value or b"", crc32(key, (offset * _SPREAD + timestamp) % _PRIME))
    ]


def ends(db: sqlite3.Connection) -> str | None:
    """Return which partition does not end where it says; None when all do.

    What expires may have gone to the last record, and what is compacted keeps its last.
    """
    heads = db.execute("SELECT id, topic, number, start, next, days FROM head").fetchall()
    for id_, topic, number, start, after, days in heads:
        first = id_ << SHIFT
        where = "SELECT max(id) FROM log WHERE id >= ? AND id < ?"
        (last,) = db.execute(where, (first, first + (1 << SHIFT))).fetchone()
        end = (start if days is not None else 0) if last is None else last - first + 1
        if end != after and not (last is None and days is not None):
            return f"{topic}/{number} ends at {end}, not at {after}"
    return None
