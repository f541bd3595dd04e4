"""A process that ended by a mistake of ours is told from one that had a reason to end."""

import sys
from pathlib import Path

import pytest

from tests.system.process import Process

ENDS = """
from deploy.process import run
from schemas.errors import Unavailable

async def main(stop):
    raise {}

run(main)
"""


class Ending(Process):
    """A process that ends by an error, as a service does in which that goes unnoticed."""

    def __init__(self, data: Path, error: str) -> None:
        super().__init__(data, "ending")
        self._command = (sys.executable, "-c", ENDS.format(error))

    def ended(self) -> int:
        """Run it to its end; return its exit code."""
        self.start()
        return self.process.wait(60)


def test_who_ends_by_a_fault_is_found_by_what_it_said(tmp_path: Path) -> None:
    process = Ending(tmp_path / "data", "TypeError('a mistake')")
    process.sound()
    assert process.ended() != 0
    with pytest.raises(AssertionError, match="a mistake"):
        process.sound()


def test_who_ends_for_a_reason_is_sound(tmp_path: Path) -> None:
    process = Ending(tmp_path / "data", "Unavailable('the log is away')")
    assert process.ended() != 0
    assert "the log is away" in process.said()
    process.sound()
