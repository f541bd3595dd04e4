"""A deliberate bug: small changes of the code, planted in a copy of it for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Change(NamedTuple):
    """In `file` the text `old`, which stands there once, becomes `new`."""

    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        """Change the file below `root`."""
        path = root / self.file
        text = path.read_text()
        found = text.count(self.old)
        assert found == 1, f"{found} times in {self.file}: {self.old!r}"
        path.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Mutant:
    """A bug, and how the findings begin of which one must name it.

    That something breaks, or a stand-in is asked for what no real one would do, is no finding.
    """

    name: str
    found: tuple[str, ...]
    changes: tuple[Change, ...]

    @contextmanager
    def planted(self, root: Path) -> Iterator[None]:
        """Have the bug below `root` for a while."""
        paths = {root / change.file for change in self.changes}
        before = {path: path.read_text() for path in paths}
        try:
            for change in self.changes:
                change.apply(root)
            yield
        finally:
            for path, text in before.items():
                path.write_text(text)
