"""What a process loads: the command, and the services that it runs."""

import subprocess
import sys

import pytest

HEAVY = {"stats": "faust", "matching": "ortools"}
"""Libraries that one service alone needs, and that take half a second to load."""


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_command_alone_loads_no_library_of_a_service() -> None:
    assert not loaded("import deploy.cli") & {*HEAVY.values()}


@pytest.mark.parametrize("service", HEAVY)
def test_who_runs_one_service_loads_what_it_needs_and_not_what_the_other_does(service: str) -> None:
    code = f"from deploy.parts import PARTS; next(p for p in PARTS if p.name == {service!r})"
    assert loaded(f"{code}.settings()") & {*HEAVY.values()} == {HEAVY[service]}
