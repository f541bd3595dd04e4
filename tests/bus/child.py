"""Another process on the same log file: `python -m tests.bus.child publish|join PATH TOPIC ...`."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from bus import sqlite
from bus.sqlite.file import Synchronous
from schemas.topics import Kept, Topic
from tests.bus.reading import beginning, records

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def say(line: str) -> None:
    """Tell the parent in one system call, so that a trace shows when."""
    os.write(1, f"{line}\n".encode())


async def publish(path: str, topic: str, name: str, count: str, *synchronous: Synchronous) -> None:
    """Publish one record after another, saying each that was acknowledged."""
    usual = sqlite.connect(path)
    async with sqlite.connect(path, synchronous=synchronous[0]) if synchronous else usual as bus:
        for i in range(int(count)):
            await bus.publish(records(Topic(topic, Kept.FOREVER), [f"{name}.{i}"]))
            say(f"acknowledged {i}")


async def join(path: str, topic: str, group: str) -> None:
    """Take a group over."""
    topics = [Topic(topic, Kept.FOREVER)]
    async with sqlite.connect(path) as bus, bus.subscribe(group, topics, beginning):
        say("joined")


async def claim(path: str, owner: str) -> None:
    """Take an owner over."""
    async with sqlite.connect(path) as bus:
        await bus.claim(owner)
        say("claimed")


def main(command: str, *arguments: str) -> None:
    """Do what the parent asks."""
    commands: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
        "publish": publish,
        "join": join,
        "claim": claim,
    }
    asyncio.run(commands[command](*arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
