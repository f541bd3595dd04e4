"""A newer release: this tree with what a later one may bring, in a folder of its own.

Its events may have a field more, there is a type of event more, and a measure more that counts it,
which takes a catalogue of the next number and a line in the recount. All else is as it is here.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.system.process import Process

ROOT = Path(__file__).parents[2]
FOLDERS = ("schemas", "bus", "services", "deploy")
FIELD = "\n    urgency: str | None = None\n"
MODEL = (
    'class ArchiveOpened(Stated):\n    """An archive was opened."""\n\n    enterprise_id: Id\n\n\n'
)
TYPE, MEASURE = "yizhan.archive.opened", "archives"


def _field(model: str) -> Callable[[str], str]:
    """Return what adds an optional field to a model."""
    return lambda text: re.sub(rf'(class {model}\(.*\):\n    """[^"]*"""\n)', rf"\1{FIELD}", text)


def _before(place: str, more: str) -> Callable[[str], str]:
    """Return what puts something in before a place."""
    return lambda text: text.replace(place, more + place)


def _facts(text: str) -> str:
    return _before("class VisitCompleted(", MODEL)(_field("ServiceDelivered")(text))


def _measure(text: str) -> str:
    raised = re.sub(
        r"^CATALOGUE = (\d+)", lambda n: f"CATALOGUE = {int(n[1]) + 1}", text, flags=re.MULTILINE
    )
    row = f'_sum("{MEASURE}", "建档", "Archives", "份", "archive.opened"),'
    return raised.replace("MEASURES = (\n", f"MEASURES = (\n    {row}\n")


CHANGES: dict[str, Callable[[str], str]] = {
    "schemas/facts.py": _facts,
    "schemas/asks.py": _field("RequestSubmitted"),
    "schemas/types.py": _before('"visit.completed": ', '"archive.opened": facts.ArchiveOpened, '),
    "schemas/measures.py": _measure,
    "services/stats/recount.py": _before(
        "        case facts.VisitCompleted():",
        f'        case facts.ArchiveOpened():\n            sums["{MEASURE}"] += 1\n',
    ),
}


class Newer(Process):
    """A process of the newer release in `tree`, on a port of its own."""

    def __init__(self, tree: Path, data: Path, *arguments: str, bus: str) -> None:
        super().__init__(data, *arguments, bus=bus)
        self._command = (*program(tree), *self._command[1:])


def made(tree: Path) -> Path:
    """Make the newer release in a folder; return it."""
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    for name, change in CHANGES.items():
        before = (tree / name).read_text()
        after = change(before)
        assert after != before, f"{name} is not as it was when this was written"
        (tree / name).write_text(after)
    return tree


def program(tree: Path) -> tuple[str, ...]:
    """Return the newer release's `yizhan`, which takes nothing from this tree."""
    start = f"import sys; sys.path.insert(0, {str(tree)!r}); from deploy.cli import main; main()"
    return (sys.executable, "-P", "-c", start)


def yizhan(tree: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the newer release to its end."""
    return subprocess.run(
        (*program(tree), *arguments), capture_output=True, text=True, timeout=120, check=False
    )
