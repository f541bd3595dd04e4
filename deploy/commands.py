"""`yizhan up`, and one command for each service alone."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from deploy import hub, logs, process
from deploy.explain import explain
from deploy.hub import Hub
from deploy.parts import INTAKE, MATCHING, PARTS, SCREENS, STATS, Part
from deploy.settings import Settings, documented, documented_group, read

Host = Annotated[str, typer.Option(envvar="YIZHAN_HOST", help="Address to listen on.")]
Port = Annotated[
    int,
    typer.Option(envvar="YIZHAN_PORT", min=0, max=65535, help="Port to listen on; 0: any free."),
]
Data = Annotated[
    Path,
    typer.Option(envvar="YIZHAN_DATA", help="Folder for keys, states and the embedded log."),
]
HOST, PORT, DATA = "127.0.0.1", 8000, Path("data")


def up(port: Port = PORT, data: Data = DATA, host: Host = HOST) -> None:
    """Run all services in one process, on an embedded log or the one that YIZHAN_BUS names."""
    logs.set_up()
    settings = read(Settings, host=host, port=port, data=data)
    process.run(partial(hub.run, settings, PARTS, greet))


async def greet(running: Hub, stop: object) -> None:
    """Say where everything is, once it is there."""
    del stop
    await running.ready()
    typer.echo(f"Yizhan is ready: {running.url}")
    if running.admin.exists():
        typer.echo(f"The administrator's key is in {running.admin}; Ctrl-C ends.")


def alone(part: Part) -> Callable[..., None]:
    """Return the command that runs one service."""

    def command(port: Port = PORT, data: Data = DATA, host: Host = HOST) -> None:
        logs.set_up()
        settings = read(Settings, host=host, port=port, data=data)
        hub.shared(settings)
        process.run(partial(hub.run, settings, [part], greet))

    command.__doc__ = f"Run {part.name} alone, on the log that YIZHAN_BUS names."
    return command


def matching() -> typer.Typer:
    """Return the command that runs matching, and what can be asked about it below."""
    run = alone(MATCHING)

    def command(
        context: typer.Context, port: Port = PORT, data: Data = DATA, host: Host = HOST
    ) -> None:
        if context.invoked_subcommand is None:
            run(port, data, host)

    command.__doc__ = run.__doc__
    group = documented_group(MATCHING.settings)
    app = typer.Typer(cls=group, invoke_without_command=True, callback=command)
    app.command()(explain)
    return app


def hang_on(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command(cls=documented(*(part.settings for part in PARTS)))(up)
    for part in (INTAKE, STATS, SCREENS):
        app.command(part.name, cls=documented(part.settings))(alone(part))
    app.add_typer(matching(), name=MATCHING.name)
