"""`yizhan keys`: as people use it."""

import subprocess
import sys
from pathlib import Path

import pytest

from bus.keys import Keys, Role


def keys(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("yizhan")), "keys", *arguments]
    return subprocess.run(
        [*command, "--data", str(data)], capture_output=True, text=True, check=False
    )


def test_a_key_is_issued_listed_and_revoked(tmp_path: Path) -> None:
    issued = keys("issue", "--scope", "yinhu", "--label", "[银湖/]", "--days", "3", data=tmp_path)
    token = issued.stdout.strip()
    assert issued.stderr == f"There were no keys in {tmp_path}: this is the first one.\n"
    assert keys("issue", data=tmp_path).stderr == ""
    with Keys.open(tmp_path / "keys.db") as store:
        principal = store.check(token)
    assert (principal.scope, principal.role.value) == ("yinhu", "writer")
    listed = keys("list", data=tmp_path).stdout
    assert principal.id in listed
    assert "[银湖/]" in listed
    assert token.split("_", 2)[2] not in listed
    assert keys("revoke", principal.id, data=tmp_path).returncode == 0
    assert "revoked" in keys("list", data=tmp_path).stdout


@pytest.mark.parametrize(
    ("who", "more", "scope"),
    [
        ("county.lab-1", (), "county"),
        ("county.lab-1", ("--scope", "yinhu"), "yinhu"),
        ("ent-1", (), "hub"),
    ],
)
def test_a_key_is_issued_for_somebody_and_the_list_says_for_whom(
    tmp_path: Path, who: str, more: tuple[str, ...], scope: str
) -> None:
    token = keys("issue", "--for", who, *more, data=tmp_path).stdout.strip()
    with Keys.open(tmp_path / "keys.db") as store:
        principal = store.check(token)
    assert (principal.subject, principal.scope) == (who, scope)
    assert who in keys("list", data=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list",), "There are no keys in"),
        (("revoke", "nobody"), "There are no keys in"),
        (("issue", "--scope", "Yin Hu"), "is no node"),
        (("issue", "--for", "Ent 1"), "is no id"),
        (("issue", "--for", "county."), "is no id"),
        (("issue", "--for", ""), "is no id"),
        (("issue", "--role", "king"), "king"),
        (("issue", "--days", "0"), "--days"),
        (("issue", "--days", "36501"), "--days"),
    ],
)
def test_wrong_arguments_are_told_and_make_nothing(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    done = keys(*arguments, data=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    keys("issue", data=tmp_path)
    done = keys("revoke", "nobody", data=tmp_path)
    assert (done.returncode, "There is no key nobody" in done.stderr) == (2, True)


@pytest.mark.parametrize("far", [4e12, 1e300, float("inf")])
def test_a_key_that_outlives_the_calendar_is_listed_like_any_other(
    tmp_path: Path, far: float
) -> None:
    with Keys.open(tmp_path / "keys.db") as store:
        store.issue("yinhu", Role.WRITER, not_after=far)
    listed = keys("list", data=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "after 9999" in listed.stdout
