"""`yizhan demo`."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deploy import hub, logs, process
from deploy.commands import HOST, PORT, Host, Port
from deploy.demo.play import Play
from deploy.parts import MATCHING, PARTS, Ground, Service
from deploy.settings import Settings, documented, read

FOLDER = Path("data/demo")
HASTE: dict[str, float] = {"offer_minutes": 1.0, "notice_minutes": 1.0, "escalate_minutes": 0.3}
"""The demo's people answer within seconds, so offers expire and requests go up a tier as fast."""


def _hasty(on: Ground) -> AbstractAsyncContextManager[Service]:
    from services import matching

    settings = read(matching.Settings, **HASTE)
    return matching.running(on.log, settings, on.tasks, metrics=on.metrics)


_PARTS = tuple(replace(part, running=_hasty) if part is MATCHING else part for part in PARTS)


def demo(
    port: Port = PORT,
    data: Annotated[
        Path, typer.Option(envvar="YIZHAN_DATA", help="Folder of the demo; kept for the next.")
    ] = FOLDER,
    speed: Annotated[
        float, typer.Option(min=0.0, max=1000.0, help="How many times faster live traffic is.")
    ] = 1.0,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--for", min=0.0, help="Seconds of live traffic.", show_default="until Ctrl-C"
        ),
    ] = None,
    host: Host = HOST,
) -> None:
    """Run everything with a sample province: its history, then live traffic.

    A folder that has the history keeps it: another start only adds the days since.
    """
    logs.set_up()
    settings = read(Settings, host=host, port=port, data=data)
    process.run(partial(hub.run, settings, _PARTS, Play(speed, seconds)))


def hang_on(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(cls=documented(*(part.settings for part in PARTS)))(demo)
