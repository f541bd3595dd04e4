"""The tables of requests.db: requests and offers as they stand, verdicts on asks, timelines.

Times are milliseconds since 1970. What stands is the highest revision in the log; `partition` and
`offset` are where on the topic assignments it lies, unless the table names the topic.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

TABLES = MetaData()

STANDING = Table(
    "standing",
    TABLES,
    Column("slot", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("content", String, nullable=False),
    Index("standing_subject", "subject"),
)
REQUEST = Table(
    "request",
    TABLES,
    Column("id", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("state", String, nullable=False),
    Column("outcome", String),
    Column("escalations", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("submitted", BigInteger, nullable=False),
    Column("responded", BigInteger),
    Column("late_at", BigInteger),  # when it becomes late, if nothing moves before
    Column("stuck", String, nullable=False),  # the reasons why it does not go on, by commas
    Column("kind", String, nullable=False),
    Column("enterprise", String, nullable=False),
    Column("pool", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("parent", String),  # the request of a customer that asks for its suppliers
    Column("home", String),  # the request that a referral stands for
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),  # data of the last request.moved, JSON
    Index("request_submitted", "submitted", "id"),
    Index("request_node", "node", "submitted"),
    Index("request_enterprise", "enterprise"),
    Index("request_parent", "parent"),
    Index("request_home", "home"),
)
OFFER = Table(
    "offer",
    TABLES,
    Column("assignment", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("node", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("offered", BigInteger, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),  # data of the last match.*, JSON
    Index("offer_request", "request"),
)
MEMBER = Table(
    "offer_member",
    TABLES,
    Column("resource", String, primary_key=True),
    Column("assignment", String, primary_key=True),
    Index("offer_member_assignment", "assignment"),
)
NOBODY = Table(
    "nobody",
    TABLES,
    Column("request", String, primary_key=True),
    Column("document", LargeBinary, nullable=False),  # data of the last request.unmatched, JSON
)
ASK = Table(
    "ask",
    TABLES,
    Column("id", String, primary_key=True),
    Column("type", String, primary_key=True),  # without its prefix: asks of each type are apart
    Column("content", String, nullable=False),  # of what was judged
    Column("request", String),
    Column("assignment", String),
    Column("verdict", String, nullable=False),  # moved or refused
    Column("document", LargeBinary, nullable=False),  # cause, detail, state, legal, revision
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
)
ENTRY = Table(
    "entry",
    TABLES,
    Column("topic", String, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("logged", BigInteger, nullable=False),  # never falling in a partition
    Column("type", String, nullable=False),  # without its prefix
    Column("subject", String, nullable=False),
    Column("content", String, nullable=False),
    Column("request", String),
    Column("assignment", String),
    Column("node", String, nullable=False),
    Column("document", LargeBinary, nullable=False),  # what a timeline shows of it, JSON
    Index("entry_request", "request", "logged"),
    Index("entry_assignment", "assignment"),
    Index("entry_subject", "subject"),
    Index("entry_logged", "topic", "partition", "logged"),
)
DECIDED = Table(
    "decided",
    TABLES,
    Column("topic", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)
