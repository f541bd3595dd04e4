"""What a request asks for: stated once, when it is submitted, and carried along from then on."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.fields import Element, Fen, Frozen, Id, Ref, Subject, Text, Time, Word
from schemas.supply import Kind

Channel = Literal["order", "appointment", "walk_in", "visit", "campaign"]


class Need(Frozen):
    """One member that the request needs: of one of `kinds`, offering all `elements`.

    `specialty`, `industry`, `qualification` and `power` are hard where they are given.
    """

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1, max_length=7, fail_fast=True)] = (
        "expert", "agency", "lab", "team",
    )  # fmt: skip
    elements: Annotated[tuple[Element, ...], Field(max_length=20, fail_fast=True)] = ()
    specialty: Word | None = None
    industry: Word | None = None
    qualification: Word | None = None
    power: Word | None = None


class Loan(Frozen):
    """A loan of `amount` fen that is asked for, and the ground it stands on (鄂质贷)."""

    amount: Annotated[Fen, Field(ge=1)]
    ground: Literal["honour", "standard", "brand", "certificate"] | None = None


class Demand(Frozen):
    """What is asked for. Everything given is a hard constraint but `urgent`.

    All `needs` are met by one assignment at one time, or none is; without any, one expert or
    agency that offers all `elements`. The work takes `minutes` and lies within `not_before` and
    `need_by`. `within` is a node: whoever serves must stand or reside there or below. `conflicts`
    are enterprises and agencies whose people must not serve: competitors, or who did what is to be
    judged. `budget` is the most the fees may add up to. `parent_id` is the request of a customer
    that asks for its suppliers; `private` ones are seen only by who asked.
    """

    elements: Annotated[tuple[Element, ...], Field(min_length=1, max_length=20, fail_fast=True)]
    mode: Word
    channel: Channel = "order"
    needs: Annotated[tuple[Need, ...], Field(max_length=8, fail_fast=True)] = ()
    minutes: Annotated[int, Field(ge=5, le=60 * 24 * 30)] = 60
    not_before: Time | None = None
    need_by: Time | None = None
    urgent: bool = False
    within: Id | None = None
    conflicts: Annotated[tuple[Id, ...], Field(max_length=100, fail_fast=True)] = ()
    budget: Fen | None = None
    consent: Literal["not_needed", "needed"] = "not_needed"
    consent_ref: Ref | None = None
    loan: Loan | None = None
    campaign_id: Ref | None = None
    project_id: Ref | None = None
    parent_id: Subject | None = None
    private: bool = False
    about: Text | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Demand":
        if self.not_before and self.need_by and self.not_before >= self.need_by:
            raise PydanticCustomError("need_by", "need_by must lie after not_before")
        return self
