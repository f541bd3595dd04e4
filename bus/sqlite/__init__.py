"""The log as one SQLite file: durable, partitioned, group-committed; needs nothing but Python."""

from bus.sqlite.log import SqliteBus, connect

__all__ = ["SqliteBus", "connect"]
