"""How the replay is shown: a bar on a terminal, a log line now and then elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo.replay import Told

_log = structlog.get_logger(__name__)


@contextmanager
def progress() -> Iterator[Told]:
    """Yield what hears how far the replay is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _logged
        return
    columns = TextColumn("{task.description:<38}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console) as bars:
        known = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in known:
                known[what] = bars.add_task(what, total=total)
            bars.update(known[what], completed=done)

        yield told


def _logged(what: str, done: int, total: int) -> None:
    if done == total:
        _log.info("sent", what=what, events=total)
