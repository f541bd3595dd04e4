"""The tables of the fact index: every statement that was ever made, and where each slot stands."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

TABLES = MetaData()

STATEMENT = Table(
    "statement",
    TABLES,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", String, nullable=False),
    Column("slot", String, nullable=False),  # the type part of the slot it speaks about
    Column("kind", String, nullable=False),  # its own type
    Column("revision", Integer, nullable=False),
    Column("content", String, nullable=False),
    Column("verdict", String, nullable=False),  # on its arrival
    Column("node", String, nullable=False),
    Column("enterprise", String),
    Column("day", String, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("occurred_at", String, nullable=False),
    Column("logged", BigInteger, nullable=False),  # ms since 1970, never falling in a partition
    Column("value", LargeBinary, nullable=False),  # the record, byte for byte
    Index("statement_slot", "subject", "slot", "offset"),
    Index("statement_news", "node", "logged"),
    Index("statement_day", "day"),
)
STANDING = Table(
    "standing",
    TABLES,
    Column("subject", String, primary_key=True),
    Column("slot", String, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content", String, nullable=False),
    Column("node", String, nullable=False),
    Column("day", String, nullable=False),
    Column("hour", Integer, nullable=False),
    Index("standing_day", "slot", "day"),
    Index("standing_node", "node", "day"),
)
COPIED = tuple(column.name for column in STANDING.columns)
"""What a standing row shares with the statement that stands."""
