"""The command `yizhan`: every part hangs its own commands below this one."""

import sys

import typer

from deploy import commands, keep, keys, letters, process, topics
from deploy.audit import audit
from deploy.demo import command as demo
from deploy.errors import Misuse
from deploy.kafka import commands as kafka
from deploy.visible import visible
from schemas.errors import YizhanError

app = typer.Typer(
    name="yizhan",
    help="驿站: what stations did, who helps whom, and live counters of what was delivered.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
commands.hang_on(app)
demo.hang_on(app)
keep.hang_on(app)
app.add_typer(kafka.app, name="kafka", no_args_is_help=True)
app.add_typer(keys.app, name="keys", no_args_is_help=True)
app.add_typer(topics.app, name="topics", no_args_is_help=True)
app.add_typer(letters.app, name="dead-letters", no_args_is_help=True)
app.command()(audit)


def main() -> None:
    """Run the command; what we expect to go wrong becomes one sentence and an exit code."""
    try:
        app()
    except YizhanError as error:
        fail(str(error), 2 if isinstance(error, Misuse) else 1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{where}", 1)


def fail(sentence: str, code: int) -> None:
    """Say why on stderr and end."""
    typer.echo("\n".join(map(visible, sentence.splitlines())), err=True)
    process.leave(code)
    sys.exit(code)
