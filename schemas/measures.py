"""The catalogue of measures, as data: what counts, in which unit, from which facts.

家 (enterprises) is a set and 次, 家次, 人次 are sums; they never share a unit. A key is a measure's
name, or "name;dimension=value" for a slice of it, with several dimensions in alphabetical order.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypedDict, Unpack

CATALOGUE = 2
"""The catalogue's number: raise it whenever the same facts would count differently."""


class Kind(Enum):
    """How a measure adds up."""

    SUM = "sum"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Measure:
    """What one measure counts.

    `fact`: the type of slot it counts: a fact, a request or an offer. `of`: for a SUM the field
    holding the amount ("" counts slots), for a SET the field holding the members. `where`: only
    those whose field has this value. `slices`: each a tuple of fields that together make a slice.
    `total`: False when slices must never be added up. `scale`: how many of what is stated make one
    unit.
    """

    name: str
    zh: str
    en: str
    unit: str
    kind: Kind
    fact: str
    of: str = ""
    where: tuple[str, str] | None = None
    slices: tuple[tuple[str, ...], ...] = ()
    total: bool = True
    scale: int = 1
    means: str = field(default="", compare=False)


class _More(TypedDict, total=False):
    where: tuple[str, str]
    slices: tuple[tuple[str, ...], ...]
    total: bool
    scale: int
    means: str


def _sum(  # noqa: PLR0913, PLR0917  # a row of the table below
    name: str, zh: str, en: str, unit: str, fact: str, of: str = "", **more: Unpack[_More]
) -> Measure:
    return Measure(name, zh, en, unit, Kind.SUM, f"yizhan.{fact}", of, **more)


def _set(
    name: str, zh: str, en: str, fact: str, of: str = "enterprise_id", **more: Unpack[_More]
) -> Measure:
    return Measure(name, zh, en, "家", Kind.SET, f"yizhan.{fact}", of, **more)


SERVICE, VISIT, ACTIVITY = "service.delivered", "visit.completed", "activity.held"
OUTCOME, OUTPUT = "outcome.recorded", "output.produced"
REQUEST, OFFER = "request.moved", "match"
OWN = ("kind", "request")
"""Requests of this place; referrals stand for a request that counts where it was made."""

MEASURES = (
    _sum(
        "services_delivered", "服务次数", "Services", "次", SERVICE,
        slices=(("elements",), ("mode",), ("agency_id",)),
        means="One for each service record; a service with several elements counts once.",
    ),
    _set(
        "enterprises_served", "服务企业", "Enterprises served", SERVICE, slices=(("agency_id",),),
        means="Different enterprises with at least one service record.",
    ),
    _sum(
        "consult_person_times", "咨询人次", "Consultations", "人次", SERVICE, "persons",
        where=("mode", "consultation"), means="Persons who came for a consultation, each time.",
    ),
    _sum("visits", "走访", "Visits", "家次", VISIT, means="Visits to enterprises, each time."),
    _set(
        "enterprises_visited", "走访企业", "Enterprises visited", VISIT,
        means="Different enterprises visited at least once.",
    ),
    _sum(
        "problems_found", "发现问题", "Problems found", "个", "problem.found",
        slices=(("product",),), means="Quality problems found, by problem.",
    ),
    _sum(
        "problems_solved", "解决问题", "Problems solved", "个", "problem.solved",
        slices=(("product",),), means="Quality problems solved, by problem.",
    ),
    _set(
        "enterprises_improved", "质量提升企业", "Enterprises improved", OUTCOME,
        where=("kind", "improved"), means="Different enterprises whose quality improved.",
    ),
    _set(
        "method_adopters", "导入先进方法", "Method adopters", OUTCOME,
        where=("kind", "method_adopted"), means="Different enterprises that adopted a method.",
    ),
    _set(
        "benchmark_enterprises", "标杆企业", "Benchmarks", OUTCOME,
        where=("kind", "benchmark"), means="Different enterprises that became a benchmark.",
    ),
    _sum(
        "licence_days", "办证用时", "Licence days", "天", OUTCOME, "days",
        where=("kind", "licence"), means="Days from filing to granting of licences.",
    ),
    _sum(
        "activities_held", "活动", "Activities", "场", ACTIVITY, "sessions",
        slices=(("kind",),), means="Sessions of activities held.",
    ),
    _set(
        "activity_enterprises", "参与企业", "Participants", ACTIVITY, "enterprises",
        slices=(("kind",),), means="Different enterprises that took part; not enterprises served.",
    ),
    _sum(
        "activity_persons", "参与人数", "Attendances", "人", ACTIVITY, "persons",
        slices=(("kind",),), means="Attendances at activities.",
    ),
    _set(
        "enterprises_trained", "培训企业", "Enterprises trained", ACTIVITY, "enterprises",
        where=("kind", "training"), means="Different enterprises that took part in training.",
    ),
    _sum(
        "benefit", "效益", "Benefit", "万元", "benefit.claimed", "amount",
        slices=(("basis", "kind", "state"),), total=False, scale=1_000_000,
        means="Benefits by kind, state and basis; kinds are never added up.",
    ),
    _set("title_filings", "申报", "Title filings", "title.filed", slices=(("title",),),
         means="Different enterprises that filed for a title."),
    _set("titles_gained", "获得荣誉", "Titles gained", "title.granted", slices=(("title",),),
         means="Different enterprises that gained a title."),
    _sum("standards", "标准", "Standards", "项", OUTPUT, "qty", where=("kind", "standard"),
         means="Standards drafted or revised."),
    _sum("std_reports", "报告", "Reports", "项", OUTPUT, "qty", where=("kind", "report"),
         means="Evaluation reports written."),
    _sum("patents", "专利", "Patents", "件", OUTPUT, "qty", where=("kind", "patent"),
         means="Patents that came out of the work."),
    _sum("certificates", "证书", "Certificates", "张", OUTPUT, "qty",
         where=("kind", "certificate"), means="Certificates that came out of the work."),
    _sum("requests", "需求", "Requests", "件", REQUEST, where=OWN,
         means="Requests on the day they were submitted, whatever has become of them."),
    _sum("open_requests", "在办需求", "Open requests", "件", REQUEST, "open", where=OWN,
         slices=(("state",),), means="Requests that are not returned, closed or cancelled."),
    _sum(
        "requests_unmet", "未满足需求", "Unmet requests", "件", REQUEST, "unmet", where=OWN,
        slices=(("reasons",),),
        means="Requests that nobody serves, or that were closed unserved; one with several "
        "reasons counts once.",
    ),
    _sum("escalations", "上级协调", "Escalations", "次", REQUEST, "escalations", where=OWN,
         means="How often requests went up a tier."),
    _sum("responded", "已响应需求", "Responded", "件", REQUEST, "responded", where=OWN,
         means="Requests that were taken on, sent back or begun."),
    _sum(
        "first_response_seconds", "首次响应用时", "First response", "秒", REQUEST,
        "first_response_seconds", where=OWN,
        means="Seconds from submission to the first response; divided by the responded requests "
        "the average.",
    ),
    _sum("blocked_seconds", "受阻用时", "Blocked time", "秒", REQUEST, "blocked_seconds",
         where=OWN, means="Seconds for which requests had to wait; blocks that have ended."),
    _sum("results", "已出结果", "Results", "件", REQUEST, "resulted", where=OWN,
         means="Requests for which a result was recorded."),
    _sum("requests_confirmed", "已确认需求", "Confirmed requests", "件", REQUEST, "confirmed",
         where=OWN, means="Requests whose result the enterprise has confirmed."),
    _sum("evaluated", "已评价需求", "Evaluated", "件", REQUEST, "evaluated", where=OWN,
         means="Requests that the enterprise has scored."),
    _sum("score", "评分", "Score", "分", REQUEST, "score", where=OWN,
         means="Points from 1 to 5; divided by the evaluated requests the average."),
    _sum("offers", "派单", "Offers", "次", OFFER, slices=(("outcome",),),
         means="Assignments that were offered, for requests and for referrals, by what became of "
         "them."),
)  # fmt: skip

NAMED = {measure.name: measure for measure in MEASURES}


def key(name: str, /, **dimensions: str) -> str:
    """Return the key of a measure, or of a slice of it."""
    return ";".join((name, *(f"{k}={v}" for k, v in sorted(dimensions.items()))))


def parse(text: str) -> tuple[str, dict[str, str]]:
    """Return a key's measure and its slice's dimensions."""
    name, *parts = text.split(";")
    return name, dict(part.split("=", 1) for part in parts)


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """How later facts of the same subject move what a first fact counts from state to state.

    The state is the last of `steps` whose earlier steps are all there; `ends` empties it. A part
    that waits for a missing one is pending, and counts when the set is complete, in any order.
    """

    measure: str
    first: str
    state: str
    steps: tuple[tuple[str, str], ...]
    ends: tuple[str, ...]


LIFE_CYCLES = (
    LifeCycle(
        "benefit",
        first="yizhan.benefit.claimed",
        state="claimed",
        steps=(("yizhan.benefit.confirmed", "confirmed"), ("yizhan.benefit.audited", "audited")),
        ends=("yizhan.benefit.withdrawn",),
    ),
)
