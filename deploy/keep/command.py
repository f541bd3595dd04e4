"""The command `yizhan keep`, and what it does after each run."""

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import Annotated

import structlog
import typer

from deploy import logs, process
from deploy.errors import Misuse
from deploy.keep import child
from deploy.keep.pace import Pace
from deploy.keep.probe import url
from deploy.parts import PARTS

SERVERS = frozenset(("up", "demo", *(part.name for part in PARTS)))
"""Commands that answer HTTP."""
FINAL = (0, 2)
"""Exit codes after which another start would end no differently: done, and misused."""
_log = structlog.get_logger(__name__)


def keep(
    command: Annotated[list[str], typer.Argument(help="A command of yizhan with its arguments.")],
    stuck_after: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds without an answer after which it is ended, at its start 5 times as many.",
        ),
    ] = 60.0,
) -> None:
    """Run a command of yizhan, and start it again whenever it fails.

    It waits 0.5 s, then twice as long each time, up to 30 s; after a minute of being ready it
    begins anew. What ends well, or was misused (exit code 2), is not started again. SIGTERM and
    Ctrl-C end both.
    """
    logs.set_up()
    if command[0] == "keep":
        raise Misuse("`yizhan keep` keeps other commands, not itself")
    codes: list[int] = []
    process.run(partial(_keep, command, stuck_after, codes))
    raise typer.Exit(codes[-1])


def hang_on(app: typer.Typer) -> None:
    """Add the command to `app`; what follows its own options belongs to the command kept."""
    passed_on = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    app.command(context_settings=passed_on)(keep)


async def _keep(command: list[str], patience: float, codes: list[int], stop: asyncio.Event) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)
    place = url(command[1:], os.environ) if command[0] in SERVERS else None
    pace, tries = Pace(random.random), 0
    while not stop.is_set():
        run = await child.run([sys.argv[0], *command], place, patience, stop)
        codes.append(run.code if run.code >= 0 else 128 - run.code)
        if stop.is_set() or (run.code in FINAL and not run.stuck):
            return
        pause, tries = pace.pause(run.calm), tries + 1
        _log.info(  # each is told; repeated warnings would be left out
            "ended, starts again",
            command=command[0],
            how=run.how,
            ran=round(run.lasted, 1),
            pause=round(pause, 1),
            times=tries,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
