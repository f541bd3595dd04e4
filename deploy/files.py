"""How many files this process may have open: each connection is one, too."""

import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource

MOST = 65_536
"""Files that a process asks for at most: who needs more has a fault."""
OWN = 300
"""Files that are no connections of callers: states, the log, the brokers, what is tried."""


def claim() -> None:
    """Let this process have as many files open as it may; the usual limit is far lower."""
    if sys.platform == "win32":
        return
    usual, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if highest == resource.RLIM_INFINITY else min(highest, MOST)
    if usual not in range(wanted):
        return
    with suppress(OSError, ValueError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, highest))


def connections() -> int:
    """Return for how many connections of callers there is room."""
    if sys.platform == "win32":
        return left(MOST)
    return left(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def left(usual: int) -> int:
    """Return how many of a process's files may be connections; a negative number: no limit."""
    files = usual if usual in range(MOST) else MOST
    return max(files - OWN, files // 2)
