"""The kinds of values that events are made of, each with its rule."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

EARLIEST = datetime(1999, 12, 31, 16, tzinfo=UTC)
LATEST = datetime(2099, 12, 31, 16, tzinfo=UTC)
"""The years 2000 to 2099 in Asia/Shanghai, so that every fact has a business day (see Day)."""
MANY = 10_000
"""The most entries that a list may have."""


class Frozen(BaseModel):
    """What all models share: frozen, no number in quotes, no infinity.

    Readers pass over fields they do not know (a newer writer may add some); intake forbids them.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", allow_inf_nan=False, populate_by_name=True
    )


_RFC3339 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})$"
)


class _Rfc3339:
    """A text first, then a time: by itself pydantic would read "1690000000" as a time, too.

    Written as a core schema because it is on the hot path: nothing of it runs in Python. Our own
    code, which makes models from values, gives datetimes.
    """

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        instant = core_schema.datetime_schema(
            strict=False, tz_constraint="aware", ge=EARLIEST, lt=LATEST
        )
        text = core_schema.chain_schema(
            [core_schema.str_schema(pattern=_RFC3339, strict=True), instant]
        )
        made = core_schema.datetime_schema(
            strict=True, tz_constraint="aware", ge=EARLIEST, lt=LATEST
        )
        either = core_schema.union_schema([made, text], mode="left_to_right")
        return core_schema.json_or_python_schema(json_schema=text, python_schema=either)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "format": "date-time",
            "pattern": _RFC3339,
            "description": "RFC 3339 with an offset, in the years 2000 to 2099 of Asia/Shanghai.",
            "examples": ["2023-05-06T09:30:00+08:00"],
        }


Time = Annotated[datetime, _Rfc3339()]
"""RFC 3339 with an offset, in the years 2000 to 2099 of Asia/Shanghai."""

Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
"""The id of a node, an enterprise or an agency."""

Subject = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}\.[A-Za-z0-9._:~-]{1,64}$")]
"""The id of a fact: `<node>.<local>`, so that it names its origin."""

MOST = 1_000_000_000
"""The most that anything is counted to."""
Revision = Annotated[int, Field(ge=1, le=1_000_000)]
Count = Annotated[int, Field(ge=0, le=MOST)]
RICHEST = 10**15
"""The most money that can be stated, in fen."""
Fen = Annotated[int, Field(ge=0, le=RICHEST)]
"""Money in fen, 0.01 yuan."""

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A term of an open list: service modes, activity kinds, roles."""

Element = Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
"""A quality element: MET, STD, CER, TST, QM and their extensions; the list is open."""

Ref = Annotated[str, Field(min_length=1, max_length=64)]
"""An opaque reference: to a person's entry in an erasable table, a document, a party."""

Name = Annotated[str, Field(min_length=1, max_length=120)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Day = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A business day, the date in Asia/Shanghai."""


class Stated(Frozen):
    """What every event states: which revision of its slot, of which node, when, by whom."""

    revision: Revision
    node_id: Id
    occurred_at: Time
    actor_role: Word
    actor_ref: Ref

    @property
    def counted_at(self) -> datetime:
        """The time on whose business day it counts."""
        return self.occurred_at
