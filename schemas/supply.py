"""Who and what can be sent: experts, agencies and equipment, each event the whole document.

The subject is `<pool>.<local>`: a resource belongs to one pool, and only its matcher books it.
There is nobody's name in it: people's contacts live in an erasable table, `ref` points there.
"""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.fields import Count, Day, Element, Fen, Frozen, Id, Name, Ref, Stated, Time, Word

FEW = 100
Words = Annotated[tuple[Word, ...], Field(max_length=FEW, fail_fast=True)]
Elements = Annotated[tuple[Element, ...], Field(max_length=50, fail_fast=True)]
Kind = Literal["expert", "agency", "lab", "department", "bank", "team", "equipment"]
"""What can be a member of an assignment."""


class Span(Frozen):
    """A time from `start` up to, not including, `end`."""

    start: Time
    end: Time

    @model_validator(mode="after")
    def _forward(self) -> "Span":
        if self.start >= self.end:
            raise PydanticCustomError("span", "a span must end after it starts")
        return self


class Qualification(Frozen):
    """A qualification, valid on the days from `since` to `until`, both included."""

    name: Word
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None


class Resource(Stated):
    """What all resources share.

    `calendar` holds when it can be booked, in order and without overlap; an empty one means at any
    time. `busy` takes times out again. `capacity` is how many may book it at the same time, `cap`
    how many open assignments it may have at once (None: any number). Who is not `shared` serves
    only the requests of its own pool. `place` is where it stands, `resident_at` where it keeps an
    office. `specialties` are what it can do beyond its elements: for equipment, what it measures.
    """

    status: Literal["active", "away", "suspended", "left"] = "active"
    label: Name | None = None
    ref: Ref | None = None
    elements: Elements = ()
    specialties: Words = ()
    industries: Words = ()
    qualifications: Annotated[tuple[Qualification, ...], Field(max_length=FEW, fail_fast=True)] = ()
    calendar: Annotated[tuple[Span, ...], Field(max_length=1000, fail_fast=True)] = ()
    busy: Annotated[tuple[Span, ...], Field(max_length=1000, fail_fast=True)] = ()
    capacity: Annotated[int, Field(ge=1, le=1000)] = 1
    cap: Annotated[int, Field(ge=1, le=10_000)] | None = None
    shared: bool = True
    place: Id | None = None
    resident_at: Annotated[tuple[Id, ...], Field(max_length=FEW, fail_fast=True)] = ()
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Resource":
        for spans in (self.calendar, self.busy):
            if any(a.end > b.start for a, b in pairwise(spans)):
                raise PydanticCustomError("order", "spans must be in order and not overlap")
        return self


class Expert(Resource):
    """An expert; `employer` is an enterprise or agency, for conflicts of interest."""

    employer: Id | None = None


class Grade(Frozen):
    """How a project of an agency was graded when it was accepted (验收)."""

    project: Ref
    grade: Literal["excellent", "good", "fair", "fail"]


class Agency(Resource):
    """A body that serves: an agency, a lab, a department, a bank or a standing team.

    `powers` are what the law lets only it do (licence, notice, loan). `bonus` are the points that
    excellent work has earned it; `fee` is what it asks for one assignment, in fen.
    """

    kind: Literal["agency", "lab", "department", "bank", "team"] = "agency"
    body: Id | None = None
    powers: Words = ()
    grades: Annotated[tuple[Grade, ...], Field(max_length=1000, fail_fast=True)] = ()
    bonus: Annotated[int, Field(ge=0, le=20)] = 0
    fee: Fen | None = None


class Equipment(Resource):
    """A device, or several of one kind (台件): `capacity` says how many."""

    owner: Id | None = None
    calibration_until: Day | None = None
    units: Count = 1
