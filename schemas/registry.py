"""The registry: nodes and enterprises, each event the whole document with its dated intervals.

The type says what changed; the newest revision of a subject's document stands, whatever its type.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.fields import Count, Day, Element, Fen, Frozen, Id, Name, Stated, Word

ROOT = "hub"
"""The id of the root of the node tree."""

NodeKind = Literal[
    "hub", "area", "station", "workstation", "post", "window",
    "base", "alliance", "industry_lead", "online", "coop_unit",
]  # fmt: skip
Tier = Literal["country", "province", "city", "county", "town", "park"]
FEW = 100


class Parent(Frozen):
    """The parent of a node from a day on."""

    parent: Id
    since: Annotated[Day, Field(alias="from")]


class Flag(Frozen):
    """A flag of a node, such as online, rank_applied or rank_provincial, for a time."""

    flag: Word
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None


class Category(Frozen):
    """A category of an enterprise, such as above_scale, sme or little_giant, for a time."""

    category: Word
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None


class Catchment(Frozen):
    """An enterprise lies inside a node's park, or is reached from it (辐射)."""

    node: Id
    kind: Literal["inside", "radiated"]


class Indicator(Frozen):
    """A figure that a node reports as it was given; never summed."""

    name: Word
    value: int
    unit: Name


class Node(Stated):
    """A node: a station, or an area above stations. `parents` wins over the plain `parent`."""

    kind: NodeKind
    name: Name
    name_en: Name | None = None
    tier: Tier | None = None
    parent: Id | None = None
    parents: Annotated[tuple[Parent, ...], Field(max_length=FEW, fail_fast=True)] = ()
    region_code: Annotated[str, Field(pattern="^[0-9]{6,12}$")] | None = None
    host_kind: Word | None = None
    elements: Annotated[tuple[Element, ...], Field(max_length=50, fail_fast=True)] = ()
    flags: Annotated[tuple[Flag, ...], Field(max_length=FEW, fail_fast=True)] = ()
    heads: Count | None = None
    quality_officers: Count | None = None
    staff: Count | None = None
    agencies: Count | None = None
    floor_m2: Count | None = None
    land_mu: Count | None = None
    funds_own: Fen | None = None
    funds_support: Fen | None = None
    indicators: Annotated[tuple[Indicator, ...], Field(max_length=FEW, fail_fast=True)] = ()
    closed: Day | None = None

    @model_validator(mode="after")
    def _has_place(self) -> "Node":
        if self.node_id != ROOT and not self.parent and not self.parents:
            raise PydanticCustomError("parent", "a node other than hub needs parent or parents")
        if [p.since for p in self.parents] != sorted({p.since for p in self.parents}):
            raise PydanticCustomError("parents", "parents must be in the order of their days")
        return self


class Enterprise(Stated):
    """An enterprise; `node_id` is the node that registered it, the subject is its own id."""

    name: Name | None = None
    uscc: Annotated[str, Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")] | None = None
    region_code: Annotated[str, Field(pattern="^[0-9]{6,12}$")] | None = None
    industry: Word | None = None
    categories: Annotated[tuple[Category, ...], Field(max_length=FEW, fail_fast=True)] = ()
    catchment: Annotated[tuple[Catchment, ...], Field(max_length=FEW, fail_fast=True)] = ()
    merged_into: Id | None = None
