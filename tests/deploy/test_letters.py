"""`yizhan topics` and `yizhan dead-letters`, as they are typed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bus
from bus import Partition, Record
from schemas.codec import Flaw
from schemas.topics import RESULTS, TOPICS
from services.stats.letters import letter
from tests.system.process import yizhan

if TYPE_CHECKING:
    from subprocess import CompletedProcess

SOURCE = Partition(RESULTS.name, 2)
WHEN = "2026-11-21T10:00:00+08:00"


async def written(data: Path, letters: Sequence[Record]) -> None:
    async with bus.connect(f"sqlite:///{data / 'log.db'}") as log:
        await log.publish(letters)


def letters(data: Path, *words: str) -> "CompletedProcess[str]":
    return yizhan("dead-letters", *words, "--data", str(data))


async def test_a_letter_is_listed_once_however_often_it_was_written_and_shown_with_its_bytes(
    tmp_path: Path,
) -> None:
    bad = letter(SOURCE, 7, b'{"odd": 1}', Flaw("type", "type", "unknown type [x]"), WHEN)
    other = letter(SOURCE, 9, None, Flaw("null", "", "the record has no value"), WHEN)
    third = letter(SOURCE, 11, b"[]", Flaw("type", "type", "unknown type"), WHEN)
    await written(tmp_path, [bad, other, bad, third])

    listed = letters(tmp_path, "list")
    assert listed.returncode == 0
    assert "3 dead letters: type 2, null 1" in listed.stdout
    shown = letters(tmp_path, "show", "yizhan.results/2/7")
    assert (shown.returncode, shown.stdout) == (0, '{"odd": 1}\n')
    assert "unknown type [x]" in shown.stderr


async def test_bytes_too_many_to_be_kept_are_told_by_their_hash(tmp_path: Path) -> None:
    await written(tmp_path, [letter(SOURCE, 1, b"x" * 70_000, Flaw("json", "", "no"), WHEN)])
    shown = letters(tmp_path, "show", "yizhan.results/2/1")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "70000 bytes, sha256 " in shown.stderr


@pytest.mark.parametrize("words", [("topics", "describe"), ("dead-letters", "list")])
def test_a_look_at_a_wrong_folder_makes_no_log_there(tmp_path: Path, words: tuple[str]) -> None:
    done = yizhan(*words, "--data", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert not list(tmp_path.iterdir())


async def test_a_letter_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    await written(tmp_path, [])
    done = letters(tmp_path, "show", "yizhan.results/0/0")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_topics_are_made_with_the_partitions_asked_for_and_never_with_others(
    tmp_path: Path,
) -> None:
    made = yizhan("topics", "create", "--partitions", "6", "--data", str(tmp_path))
    assert made.returncode == 0
    assert all(topic.name in made.stdout for topic in TOPICS)
    rows = [line for line in made.stdout.splitlines() if RESULTS.name in line]
    assert " 6 " in rows[0]
    assert yizhan("topics", "describe", "--data", str(tmp_path)).stdout == made.stdout
    other = yizhan("topics", "create", "--partitions", "7", "--data", str(tmp_path))
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)


def test_topics_on_kafka_are_missing_until_they_are_made(own_kafka: str) -> None:
    at = ("--bus", f"kafka://{own_kafka}")
    assert yizhan("topics", "describe", *at).stdout.count("missing") == len(TOPICS)
    for _ in range(2):
        made = yizhan("topics", "create", "--partitions", "3", *at)
        assert (made.returncode, "missing" in made.stdout) == (0, False)
    other = yizhan("topics", "create", "--partitions", "4", *at)
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
