"""Seeds of the simulation: what is promised holds in each, and the faults really happen.

YIZHAN_SEEDS says how many are run; each that fails tells the command that repeats it.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tell
from tests.simulation.options import FAULTS, drawn

ROOT = Path(__file__).parents[2]
HAPPENS = (
    "flush marks", "fenced", "sessions expired", "unsynced writes lost", "ended by itself",
    "posts without an answer", "posts answered 503", "moved: expired", "moved: matched",
    "moved: nobody", "moved: released", "moved: overdue", "moved: request.cancelled",
    "moved: offer.accepted", "moved: referral", "rows emptied", "claimed: matching",
    "claimed: stats", "audits", "killed at a commit", "commits lost",
)  # fmt: skip
"""What must have come up somewhere, or the runs prove little; each fault as well."""
ENOUGH = 1000
"""So many seeds make everything happen that may."""
COUNT, AT_ONCE = int(os.environ.get("YIZHAN_SEEDS", "1000")), os.cpu_count() or 1
SLOWEST = 0.5
"""Seconds that a core may take for a seed, on average: a quiet one takes less than a tenth."""


@contextmanager
def started(*arguments: str, hashing: str = "0") -> Iterator[subprocess.Popen[str]]:
    """Run the simulation; sets of names are in another order for another `hashing`.

    What has not ended by itself is killed: nobody else would end it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hashing},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> tuple[str, dict[str, Any]]:
    """Wait for its end; return all it said, and the figures in its last line."""
    out, _ = process.communicate()
    lines = out.splitlines()
    assert lines, "the simulation said nothing"
    return "\n".join(lines[:-1]), json.loads(lines[-1])


def traced(*seeds: str, hashing: str) -> dict[str, Any]:
    """Run these seeds; return the figures."""
    with started(*seeds, hashing=hashing) as run:
        return told(run)[1]


@pytest.mark.slow
@pytest.mark.timeout(600 + COUNT * SLOWEST / AT_ONCE)
def test_what_is_promised_holds_whatever_the_seed_lets_happen(tell: Tell) -> None:
    began = time.monotonic()
    edges = [COUNT * n // AT_ONCE for n in range(AT_ONCE + 1)]
    with ExitStack() as running:
        runs = [
            running.enter_context(started("--from", str(a), "--count", str(b - a)))
            for a, b in pairwise(edges)
        ]
        found = [told(run) for run in runs]
    happened = sum((Counter(figures["happened"]) for _, figures in found), Counter[str]())
    failed = [seed for _, figures in found for seed in figures["failed"]]
    ran = sum(figures["ran"] for _, figures in found)
    rate = round(ran / (time.monotonic() - began) * 60)
    injected = sum(happened[name] for name in FAULTS)
    tell("simulated", seeds=ran, failed=len(failed), faults=injected, **{"a minute": rate})
    tell(_listed(happened))
    assert not failed, "\n".join(said for said, _ in found)
    assert ran == COUNT
    if COUNT >= ENOUGH:
        assert not [name for name in (*FAULTS, *HAPPENS) if not happened[name]]


@pytest.mark.timeout(600)
def test_a_seed_repeats_its_run_exactly_whatever_order_sets_have() -> None:
    seeds = [str(next(filter(kind, range(1000)))) for kind in (_plain, _asked, _both, _kept)]
    first, second = traced(*seeds, hashing="1"), traced(*seeds, hashing="2")
    assert first["happened"] == second["happened"]
    assert len(first["traces"]) == len(seeds)
    assert first["traces"] == second["traces"]
    assert traced(seeds[-1], hashing="3")["traces"] == first["traces"][-1:]


def _plain(seed: int) -> bool:
    """Whether there are facts alone, and none of what follows."""
    return not (drawn(seed).asks or drawn(seed).file)


def _asked(seed: int) -> bool:
    """Whether there are asks alone."""
    return not drawn(seed).facts


def _both(seed: int) -> bool:
    """Whether there are facts and asks."""
    return bool(drawn(seed).facts and drawn(seed).asks)


def _kept(seed: int) -> bool:
    """Whether real state files take part."""
    return drawn(seed).file


def _listed(happened: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(happened.items()))
