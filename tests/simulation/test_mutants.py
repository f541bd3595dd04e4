"""Each deliberate bug is found by some seed: what the simulation does not see is not promised."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tell
from tests.simulation.mutant import Change, Mutant
from tests.simulation.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
planting = pytest.mark.skipif(
    "faults" not in os.environ.get("YIZHAN_REQUIRE", "").split(),
    reason="plants two dozen bugs: `make faults` runs it",
)
COPIED = ("schemas", "bus", "services", "tests/simulation", "tests/matching", "tests/system")
SEEDS = 1500
"""Within so many seeds each is found."""
ASKED = {
    "drop the base check", "position before state", "ack before durable", "add instead of replace",
    "forget a release", "publish before caught up", "decide while replaying",
}  # fmt: skip
"""Bugs that whoever builds such a hub makes first."""
MISSPELT = Mutant(
    "a name that is not there",
    ("row:", "ledger:"),
    (Change("services/stats/fold.py", "if found is not", "if fount is not"),),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of all that takes part."""
    copy = tmp_path_factory.mktemp("mutants")
    unneeded = shutil.ignore_patterns("__pycache__", "static", "json", "test_*.py")
    for folder in COPIED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=unneeded)
    for file in ("tests/__init__.py", "tests/histories.py"):
        shutil.copy(ROOT / file, copy / file)
    return copy


def simulated(copy: Path, seeds: int, until: Sequence[str]) -> dict[str, Any]:
    """Run seeds until one fails for such a reason; return the figures."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--count", str(seeds), "--until", *until],
        cwd=copy,
        env={
            **os.environ,
            "PYTHONPATH": ".",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    figures: dict[str, Any] = json.loads(lines[-1])
    assert bool(figures["failed"]) == (done.returncode != 0), done.stderr
    return figures | {"said": "\n".join(lines[:-1])}


def test_the_bugs_that_are_made_first_are_planted() -> None:
    assert {mutant.name for mutant in MUTANTS} >= ASKED


@planting
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_a_bug_no_seed_fails(copy: Path) -> None:
    figures = simulated(copy, 100, ())
    assert (figures["failed"], figures["ran"]) == ([], 100), figures["said"]


@planting
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_that_something_breaks_is_not_taken_for_a_finding(copy: Path) -> None:
    with MISSPELT.planted(copy):
        figures = simulated(copy, 6, MISSPELT.found)
    assert figures["failed"]
    assert not figures["found"], figures["said"]


@planting
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_each_bug_is_found_as_what_it_is(copy: Path, mutant: Mutant, tell: Tell) -> None:
    with mutant.planted(copy):
        figures = simulated(copy, SEEDS, mutant.found)
    seeds, found = figures["ran"], figures["found"]
    tell(f"{mutant.name}: {found[:200] or 'not found'}", seeds=seeds)
    assert found, f"{mutant.name}: no seed of {seeds} finds it\n{figures['said'][:4000]}"
