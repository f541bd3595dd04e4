"""`yizhan topics` and `yizhan dead-letters`, as they are typed."""

import json
import os
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bus
from bus import Partition, Record
from deploy.log import existing
from schemas.codec import Flaw
from schemas.errors import Unusable
from schemas.topics import RESULTS, TOPICS
from services.stats.said import letter
from tests.histories import record
from tests.stats.test_worker import service
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

    listed = letters(tmp_path, "list", "--check")
    assert listed.returncode == 3
    assert "3 dead letters: type 2, null 1" in listed.stdout
    shown = letters(tmp_path, "show", "yizhan.results/2/7")
    assert (shown.returncode, shown.stdout) == (0, '{"odd": 1}\n')
    assert "unknown type [x]" in shown.stderr


async def test_bytes_too_many_to_be_kept_are_told_by_their_hash(tmp_path: Path) -> None:
    await written(tmp_path, [letter(SOURCE, 1, b"x" * 70_000, Flaw("json", "", "no"), WHEN)])
    shown = letters(tmp_path, "show", "yizhan.results/2/1")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "70000 bytes, sha256 " in shown.stderr


GOOD = record(service(1))
ROUTE = Flaw("route", "subject", "it does not belong to this partition")
LOST = "yizhan.results/2/5"


def one(done: "CompletedProcess[str]", code: int, said: str) -> None:
    """A command ended with this code and one sentence that says so."""
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert said in done.stderr


async def test_what_was_settled_is_listed_only_when_asked_for_and_then_with_how(
    tmp_path: Path,
) -> None:
    bad = letter(SOURCE, 7, b"{", Flaw("json", "", "not valid JSON"), WHEN)
    await written(tmp_path, [letter(SOURCE, 5, GOOD.value, ROUTE, WHEN), bad])
    assert letters(tmp_path, "replay", LOST).stdout == "1 replayed, 0 refused\n"
    again = letters(tmp_path, "replay", "results:2:5")
    assert (again.returncode, "settled already: replayed" in again.stdout) == (0, True)
    dismissed = letters(tmp_path, "dismiss", "results/2/7", "--reason", "a test of [cables]")
    assert dismissed.returncode == 0
    assert letters(tmp_path, "list", "--check").returncode == 0
    told = json.loads(letters(tmp_path, "list", "--all", "--json").stdout)["letters"]
    became = {one["origin"]: (one["settled"]["how"], one["settled"]["reason"]) for one in told}
    assert became == {
        LOST: ("replayed", None),
        "yizhan.results/2/7": ("dismissed", "a test of [cables]"),
    }
    assert "2 are settled" in letters(tmp_path, "list").stdout
    shown = json.loads(letters(tmp_path, "show", LOST, "--json").stdout)
    assert shown["settled"]["how"] == "replayed"
    assert b64decode(shown["value"]) == GOOD.value
    one(letters(tmp_path, "dismiss", LOST, "--reason", "twice"), 1, "settled already: replayed")


async def test_what_cannot_be_used_is_refused_with_rule_and_field_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    bad = letter(SOURCE, 7, b"{", Flaw("json", "", "not valid JSON"), WHEN)
    await written(tmp_path, [letter(SOURCE, 5, GOOD.value, ROUTE, WHEN), bad])
    dry = letters(tmp_path, "replay", "--all", "--dry-run")
    assert (dry.returncode, dry.stdout) == (1, "1 would be replayed, 1 refused\n")
    done = letters(tmp_path, "replay", "--all")
    assert done.stdout == "1 replayed, 1 refused\n"
    one(done, 1, "yizhan.results/2/7: json : not valid JSON")
    repaired = letters(tmp_path, "repair", "results/2/7", "--set", "data.revision=2")
    one(repaired, 1, "give the whole event")
    whole = tmp_path / "event.json"
    whole.write_bytes(GOOD.value or b"")
    refused = letters(tmp_path, "repair", "results/2/7", str(whole))
    one(refused, 1, "results/2/7: unknown_node data.node_id: no node yinhu")


async def test_an_empty_record_that_the_log_has_no_more_is_refused_like_any_other(
    tmp_path: Path,
) -> None:
    flaw = Flaw("null", "", "the record has no value")
    await written(tmp_path, [letter(SOURCE, 9, None, flaw, WHEN)])
    shown = letters(tmp_path, "show", "results/2/9")
    assert (shown.returncode, shown.stdout) == (0, "")
    one(letters(tmp_path, "replay", "--all"), 1, "yizhan.results/2/9: null : ")


async def test_no_command_prints_what_a_terminal_would_obey(tmp_path: Path) -> None:
    twice = rb'{"\u001b[2J": 1, "\u001b[2J": 2}'
    flaw = Flaw("duplicate_key", "\x1b[2J", "the same key stands twice")
    await written(tmp_path, [letter(SOURCE, 7, twice, flaw, WHEN)])
    commands = (
        ("list",),
        ("replay", "--all"),
        ("repair", "results/2/7", "--set", "data.revision=2"),
        ("show", "results/2/7"),
        ("dismiss", "results/2/7", "--reason", "so \x1b[2J it is"),
        ("dismiss", "results/2/7", "--reason", "again"),
    )
    said = [letters(tmp_path, *command) for command in commands]
    texts = [done.stdout + done.stderr for done in said]
    assert not [text for text in texts if "\x1b" in text]
    assert all(r"\x1b[2J" in text for text in texts[:4] + texts[5:])


async def test_arguments_that_contradict_each_other_are_said_so(tmp_path: Path) -> None:
    await written(tmp_path, [letter(SOURCE, 5, GOOD.value, ROUTE, WHEN)])
    at = ("results/2/5",)
    mistakes = {
        ("replay",): "give --all",
        ("replay", *at, "--all"): "Name one letter",
        ("replay", *at, "--rule", "route"): "narrow --all down",
        ("replay", "--all", "--topic", "result"): "there are yizhan.registry, ",
        ("replay", "results/2"): "There is no dead letter of results/2",
        ("repair", *at): "as a FILE (- for stdin), or by --set PATH=JSON",
        ("repair", *at, "--set", "data.mode=diagnosis"): "--set 'data.mode=\"diagnosis\"'",
        ("repair", *at, "--set", "data.mode"): "PATH=JSON",
        ("repair", *at, "--set", "data.elements.9=1"): "there is no 9",
        ("dismiss", *at, "--reason", " "): "1 to 500 characters",
    }
    for words, said in mistakes.items():
        one(letters(tmp_path, *words), 2, said)
    one(letters(tmp_path, "repair", *at, str(tmp_path / "none.json")), 1, "No such file")


LOOKS = [("topics", "describe"), ("dead-letters", "list"), ("audit",)]


@pytest.mark.parametrize("words", LOOKS)
def test_a_look_at_a_wrong_place_makes_no_log_there(
    tmp_path: Path, words: tuple[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    at = tmp_path / "data"
    at.mkdir()
    monkeypatch.setenv("YIZHAN_DATA", str(at))
    by_folder, by_url = yizhan(*words), yizhan(*words, "--bus", f"sqlite:///{tmp_path}/other.db")
    for done, place in ((by_folder, at / "log.db"), (by_url, tmp_path / "other.db")):
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert f"there is no log at {place}" in done.stderr
    assert list(tmp_path.rglob("*")) == [at]


@pytest.mark.parametrize("url", [None, "sqlite:///data/log.db"])
def test_an_empty_file_is_no_log_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path("data/log.db")
    place.parent.mkdir()
    place.touch()
    with pytest.raises(Unusable, match=r"there is no log at data/log\.db"):
        existing(url, place.parent)
    assert existing("kafka://h:1", place.parent) == "kafka://h:1"


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever may write everywhere cannot be kept out")
@pytest.mark.parametrize("words", LOOKS)
async def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(
    tmp_path: Path, words: tuple[str]
) -> None:
    await written(tmp_path, [])
    tmp_path.chmod(0o500)
    done = yizhan(*words, "--data", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be written" in done.stderr


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
