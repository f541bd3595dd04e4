"""Each deliberate bug is found by some seed: what the simulation does not see is not promised."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    "faults" not in os.environ.get("YIZHAN_REQUIRE", "").split(),
    reason="plants twenty bugs: `make faults` runs it",
)
COPIED = ("schemas", "bus", "services", "tests/simulation", "tests/matching")
SEEDS = 300
"""Within so many seeds each is found."""


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


def simulated(copy: Path, seeds: int) -> tuple[str, int]:
    """Run seeds until one fails; return what was said, and how many were run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--from", "0", "--count", str(seeds), "--stop"],
        cwd=copy,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    figures = json.loads(lines[-1])
    assert bool(figures["failed"]) == (done.returncode != 0), done.stderr
    return (lines[0] if figures["failed"] else ""), figures["ran"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_a_bug_no_seed_fails(copy: Path) -> None:
    assert simulated(copy, 30) == ("", 30)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_each_bug_is_found(copy: Path, mutant: Mutant) -> None:
    before = mutant.apply(copy)
    try:
        found, seeds = simulated(copy, SEEDS)
    finally:
        (copy / mutant.file).write_text(before)
    print(f"\n{mutant.name}: {found[:200] or 'not found'}")
    assert found, f"{mutant.name}: no seed of {seeds} finds it"
