"""Countable facts: what stations did. The subject of each event is the id of the record."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.fields import MANY, Count, Element, Fen, Id, Ref, Stated, Text, Word

Enterprises = Annotated[tuple[Id, ...], Field(max_length=MANY, fail_fast=True)]
Refs = Annotated[tuple[Ref, ...], Field(max_length=100, fail_fast=True)]


class ServiceDelivered(Stated):
    """One service for one enterprise (次); it may carry several quality elements."""

    enterprise_id: Id
    elements: Annotated[tuple[Element, ...], Field(max_length=20, fail_fast=True)]
    mode: Word
    request_id: Ref | None = None
    place: Literal["onsite", "window", "online", "host"] | None = None
    performers: Refs = ()
    agency_id: Id | None = None
    campaign_id: Ref | None = None
    project_id: Ref | None = None
    payer: Word | None = None
    evidence: Refs = ()
    persons: Count | None = None
    minutes: Count | None = None


class VisitCompleted(Stated):
    """One visit to an enterprise (家次); by itself no service."""

    enterprise_id: Id
    demands: Annotated[tuple[Text, ...], Field(max_length=100, fail_fast=True)] = ()
    planned: bool | None = None


class ProblemFound(Stated):
    """A quality problem was found; the subject is the problem's id."""

    enterprise_id: Id | None = None
    product: Word | None = None


class ProblemSolved(Stated):
    """The problem of the same subject was solved."""

    enterprise_id: Id | None = None
    product: Word | None = None


class ActivityHeld(Stated):
    """An activity of `sessions` sessions: which enterprises took part, and how many persons."""

    kind: Word
    sessions: Annotated[int, Field(ge=1, le=10_000)]
    enterprises: Enterprises = ()
    persons: Count = 0


class BenefitClaimed(Stated):
    """A benefit of `amount` fen is claimed; kinds are never added up."""

    enterprise_id: Id
    kind: Literal[
        "direct", "indirect", "expected", "loss_avoided", "loss_recovered", "saving_per_year"
    ]
    amount: Fen
    basis: Literal["measured", "estimated", "extrapolated"]


class BenefitConfirmed(Stated):
    """The enterprise confirms the benefit of the same subject."""


class BenefitAudited(Stated):
    """The authority has audited the benefit of the same subject."""


class BenefitWithdrawn(Stated):
    """The claim of the same subject is withdrawn."""

    reason: Text | None = None


class TitleFiled(Stated):
    """An enterprise files for a title (申报)."""

    enterprise_id: Id
    title: Word


class TitleGranted(Stated):
    """An enterprise gains a title."""

    enterprise_id: Id
    title: Word


class OutcomeRecorded(Stated):
    """An enterprise improved, adopted a method, became a benchmark, or got a licence in `days`."""

    enterprise_id: Id
    kind: Literal["improved", "method_adopted", "benchmark", "licence"]
    days: Count | None = None


class OutputProduced(Stated):
    """Standards, reports, patents, certificates or templates came out of the work."""

    kind: Literal["standard", "report", "patent", "certificate", "template"]
    qty: Annotated[int, Field(ge=1, le=1_000_000)]
    enterprise_id: Id | None = None


class RecordVoided(Stated):
    """The slot (target_type, subject) holds nothing any more, from this revision on."""

    target_type: Annotated[str, Field(pattern=r"^yizhan\.[a-z_]+\.[a-z_]+$")]
    reason: Text
    approved_by: Ref | None = None
