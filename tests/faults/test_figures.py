"""The figures of fault tests: what a pause is, who is a zombie, and what it was refused."""

import struct
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.fenced import Overhearing
from tests.faults.watch import still
from tests.faults.writers import COMMIT, CONTROL, HEAD, TRANSACTIONAL, Tally, batches, tally


def test_a_pause_lasts_from_the_first_input_that_waits_to_the_mark_that_passes_it() -> None:
    inputs = [(0, 1_000), (1, 2_000), (3, 2_500), (4, 9_000)]
    marks = [(1, 1_200), (1, 1_900), (4, 6_000), (5, 9_100)]
    assert still(inputs, marks) == 4.0


def test_nothing_stands_still_while_there_is_nothing_to_follow() -> None:
    assert still([(0, 1_000), (1, 60_000)], [(1, 1_100), (2, 60_200)]) == 0.2


def test_a_pause_is_no_longer_than_the_machine_let_it_be() -> None:
    inputs, marks = [(0, 1_000), (1, 9_000)], [(1, 5_000), (2, 12_000)]
    assert still(inputs, marks, [(500, 2_500), (4_000, 4_500), (20_000, 30_000)]) == 3.0


def test_what_is_never_followed_is_no_pause_but_a_failure() -> None:
    with pytest.raises(AssertionError, match="never followed"):
        still([(0, 1_000), (1, 2_000)], [(1, 1_100)])


def test_a_batch_of_an_older_epoch_behind_a_newer_is_a_zombies_seen_only_if_it_is_committed(
    tmp_path: Path,
) -> None:
    data, commit, abort = TRANSACTIONAL, COMMIT, b"\0\0\0\0"
    log = [
        _batch(0, data, epoch=0, count=2),
        _batch(2, data | CONTROL, epoch=0, key=commit),
        _batch(3, data, epoch=1, count=3),
        _batch(6, data | CONTROL, epoch=1, key=commit),
        _batch(7, data, epoch=0, count=4),
        _batch(11, data | CONTROL, epoch=0, key=commit),
        _batch(12, data, epoch=0, count=5),
        _batch(17, data | CONTROL, epoch=0, key=abort),
        _batch(18, 0, epoch=0, count=9),
    ]
    (tmp_path / "00000000000000000000.log").write_bytes(b"".join(log) + bytes(HEAD.size))
    told = tally(batches(tmp_path))
    assert told == Tally(claims=2, committed=9, aborted=5, zombies=4, refused=5)


@pytest.mark.parametrize("size", [1, 1000])
def test_commits_that_a_broker_refuses_are_counted_by_owner_in_whatever_pieces_it_says_so(
    size: int,
) -> None:
    fenced = Counter[str]()
    heard = Overhearing(fenced)
    for mark, number in enumerate((26, 26, 22, 26)):
        owner = f"matching-{mark}".encode()
        head = struct.pack(">hhih", number, 0, mark, 6) + b"client"
        heard.asked(head + struct.pack(">h", len(owner)) + owner + bytes(11))
    answers = [struct.pack(">iiih", 10, *told) for told in ((0, 0, 0), (2, 0, 47), (3, 0, 47))]
    said = b"".join([struct.pack(">i", 50_000), b"\xff" * 50_000, *answers])
    for start in range(0, len(said), size):
        heard.answered(said[start : start + size])
    assert fenced == {"matching-3": 1}


def _batch(offset: int, flags: int, *, epoch: int, count: int = 1, key: bytes = b"") -> bytes:
    body = b"\x20\0\0\0\x08" + key + b"\x0c" + bytes(6)
    length = HEAD.size - 12 + len(body)
    head = (offset, length, 0, 2, 0, flags, count - 1, 0, 0, 7, epoch, 0, count)
    return struct.pack(HEAD.format, *head) + body
