"""The store of keys: what is issued opens, until it ends; no secret is kept."""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from bus.keys import Keys, Principal, Role
from schemas.errors import Unauthenticated, Unusable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "keys.db"


@pytest.fixture
def keys(path: Path) -> Iterator[Keys]:
    with Keys.open(path) as keys:
        yield keys


def id_of(token: str) -> str:
    return token.split("_")[1]


def opens(keys: Keys, token: str) -> bool:
    try:
        keys.check(token)
    except Unauthenticated:
        return False
    return True


def test_a_key_says_who_shows_it(keys: Keys) -> None:
    token = keys.issue("yinhu", Role.WRITER, label="银湖站")
    principal = keys.check(token)
    assert (principal.id, principal.scope) == (id_of(token), "yinhu")
    assert (principal.role, principal.label) == (Role.WRITER, "银湖站")
    assert token.startswith(f"yz_{principal.id}_")


def test_no_id_can_be_taken_for_the_number_of_a_telephone_or_a_person(keys: Keys) -> None:
    assert all(id_of(keys.issue("hub", Role.WRITER)).isalpha() for _ in range(20))


def test_nothing_else_opens(keys: Keys) -> None:
    token, other = (keys.issue("hub", Role.ADMIN) for _ in range(2))
    prefix, id_, secret = token.split("_", 2)
    for wrong in (
        "", "yz", "yz__", token[:-1], token + "x", f"{prefix}_{id_}_", f"xx_{id_}_{secret}",
        f"{prefix}_{id_of(other)}_{secret}", token.upper(), f" {token}", "yz_\ud800_x",
        f"yz_' OR 1=1 --_{secret}",
    ):  # fmt: skip
        assert not opens(keys, wrong), wrong
        assert opens(keys, token)


def test_the_file_holds_no_secret(keys: Keys, path: Path) -> None:
    secret = keys.issue("hub", Role.ADMIN).split("_", 2)[2]
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"hub" in kept
    assert secret.encode() not in kept


def test_a_revoked_key_ends_and_the_others_go_on(keys: Keys) -> None:
    token, other = (keys.issue("hub", Role.ADMIN) for _ in range(2))
    assert opens(keys, token)
    assert keys.revoke(id_of(token))
    assert not opens(keys, token)
    assert opens(keys, other)
    assert not keys.revoke("nobody")


async def test_a_key_revoked_by_another_process_ends_at_once(keys: Keys, path: Path) -> None:
    token = keys.issue("hub", Role.ADMIN)
    assert opens(keys, token)
    code = (
        "import sys; from bus.keys import Keys\n"
        "with Keys.open(sys.argv[1]) as k: k.revoke(sys.argv[2])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(path), id_of(token), cwd=Path(__file__).parents[2]
    )
    assert await process.wait() == 0
    assert not opens(keys, token)


def test_a_key_ends_when_its_time_has_come(path: Path) -> None:
    now = [1000.0]
    with Keys.open(path, clock=lambda: now[0]) as keys:
        token = keys.issue("hub", Role.READER, not_after=1010.0)
        assert opens(keys, token)
        now[0] = 1010.0
        assert not opens(keys, token)
        (key,) = keys.list()
        assert not key.valid(now[0])


def test_keys_are_there_when_the_store_is_opened_again(path: Path) -> None:
    with Keys.open(path) as keys:
        token = keys.issue("hub", Role.ADMIN, label="first")
        keys.revoke(id_of(keys.issue("yinhu", Role.WRITER)))
    with Keys.open(path) as keys:
        assert opens(keys, token)
        assert {(k.principal.scope, k.revoked_at is None) for k in keys.list()} == {
            ("hub", True),
            ("yinhu", False),
        }


@pytest.mark.parametrize("who", ["county.lab-1", "ent-1", None])
def test_a_key_tells_whom_it_speaks_for(keys: Keys, who: str | None) -> None:
    token = keys.issue("county", Role.WRITER, subject=who)
    assert keys.check(token).subject == who
    assert [key.principal.subject for key in keys.list()] == [who]


OLDER = """
CREATE TABLE key (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL, scope TEXT NOT NULL, role TEXT NOT NULL,
  not_after REAL, revoked_at REAL, label TEXT NOT NULL) WITHOUT ROWID
"""


def test_keys_of_an_older_file_open_and_speak_for_nobody(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute(OLDER)
        db.execute("PRAGMA application_id=0x595A4B59")
        row = ("0123456789ab", sha256(b"secret").digest(), "yinhu", "writer", "银湖站")
        db.execute("INSERT INTO key VALUES (?, ?, ?, ?, NULL, NULL, ?)", row)
        db.commit()
    for _ in range(2):
        with Keys.open(path) as keys, Keys.open(path) as other:
            old, new = "yz_0123456789ab_secret", other.issue("hub", Role.READER, subject="ent-1")
            assert keys.check(old) == Principal("0123456789ab", "yinhu", Role.WRITER, "银湖站")
            assert keys.check(new).subject == "ent-1"


def test_an_older_file_is_opened_by_many_at_once(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute(OLDER)
        db.execute("PRAGMA application_id=0x595A4B59")
    begin = threading.Barrier(8)

    def open_() -> int:
        begin.wait()
        with Keys.open(path) as keys:
            return len(keys.list())

    with ThreadPoolExecutor(8) as pool:
        assert [one.result() for one in [pool.submit(open_) for _ in range(8)]] == [0] * 8


def test_roles_include_those_below_them() -> None:
    assert Role.ADMIN.includes(Role.WRITER)
    assert Role.WRITER.includes(Role.WRITER)
    assert not Role.READER.includes(Role.WRITER)


@pytest.mark.parametrize("made", ["folder", "text", "database"])
def test_what_is_no_store_is_told_in_a_sentence(path: Path, made: str) -> None:
    path.parent.mkdir()
    if made == "folder":
        path.mkdir()
    elif made == "text":
        path.write_text("hello, this is not a database" * 100)
    else:
        sqlite3.connect(path).execute("CREATE TABLE other (x)").connection.close()
    says = pytest.raises(Unusable, match=r"keys\.db cannot be used as a store of keys: ")
    with says, Keys.open(path):
        pass


def test_a_store_that_was_cut_off_lets_nobody_in(path: Path) -> None:
    with Keys.open(path) as keys:
        for number in range(40):
            keys.issue("hub", Role.ADMIN, label=f"number {number}")
    whole = path.read_bytes()
    for size in range(1000, len(whole), 1000):
        path.write_bytes(whole[:size])
        with pytest.raises(Unusable, match=r"^\S*keys\.db cannot .+$"), Keys.open(path):
            pass
