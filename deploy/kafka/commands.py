"""`yizhan kafka up` and `yizhan kafka down`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy import kafka

app = typer.Typer(help="A real Apache Kafka on this machine, for trying things out and for tests.")

Data = Annotated[Path, typer.Option(help="Folder for its records and settings.", file_okay=False)]
DATA = Path("data/kafka")


@app.command()
def up(
    nodes: Annotated[int, typer.Option(help="Brokers: 1, or 3 with every record on all.")] = 1,
    data: Data = DATA,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the first broker.", show_default="any free"),
    ] = None,
) -> None:
    """Start Kafka in the background and print its address, a value for YIZHAN_BUS."""
    already = kafka.running(data)
    cluster = asyncio.run(kafka.up(data, nodes, port))
    if already:
        # Not to stdout: $(yizhan kafka up) shall be the address and nothing else.
        typer.echo(f"Kafka is running already in {data}.", err=True)
    typer.echo(cluster.address)


@app.command()
def down(data: Data = DATA) -> None:
    """End Kafka. Its records stay for the next start."""
    ended = asyncio.run(kafka.down(data))
    typer.echo(f"Kafka in {data} {'is down' if ended else 'was not running'}.", err=True)
