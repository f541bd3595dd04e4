"""Free ports, asked of the system."""

import os
import socket
from contextlib import ExitStack

from deploy.kafka.record import Door, Node
from schemas.errors import Unusable


def assigned(nodes: tuple[Node, ...], port: int | None) -> tuple[Node, ...]:
    """Give every node its ports: the ones it had, as long as they are free.

    `port` is the first broker's and must be free.
    """
    with ExitStack() as held:  # all at once, or the system could give the same port twice
        wish = [held.enter_context(taken(port)).getsockname()[1]] if port else []
        brokers = wish + [free(held, node.port) for node in nodes[len(wish) :]]
        controllers = [free(held, node.controller_port) for node in nodes]
        doors = [opened(held, node.door) for node in nodes]
    ids, pids = [node.id for node in nodes], [None] * len(nodes)
    return tuple(map(Node, ids, brokers, controllers, pids, doors))


def opened(held: ExitStack, door: Door | None) -> Door | None:
    """Give a door its port; what its clients are told is the caller's."""
    return Door(door.told, free(held, door.port)) if door else None


def free(held: ExitStack, port: int) -> int:
    """Hold `port`, or any free one if somebody has it, until `held` closes."""
    try:
        listener = held.enter_context(taken(port))
    except Unusable:
        listener = held.enter_context(taken(0))
    return int(listener.getsockname()[1])


def taken(port: int) -> socket.socket:
    """Bind a port of this machine; 0 stands for any free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno or 0)
        raise Unusable(f"Port {port} cannot be used: {reason}.") from error
    return listener
