"""Who can be sent in the sample province: experts, agencies and equipment of every county."""

from collections.abc import Iterator, Sequence
from typing import Any

from deploy.demo.event import Event, dice, event
from deploy.demo.firms import INDUSTRIES
from deploy.demo.places import AREAS, OPENED, STATIONS, Area
from deploy.demo.services import HEZHONG, NEAR
from schemas.registry import ROOT

EXPERTS = (
    ("STD", "QM"), ("QM", "CER"), ("IPR", "BRD"), ("TST",), ("POL", "STD"), ("TEC", "QM"),
)  # fmt: skip
"""What the experts of a county offer; nobody there measures, so MET goes to the city."""

CALIBRATED = "2099-12-31"


def supply() -> list[Event]:
    """Return the documents of all experts, agencies and devices."""
    counties = [one for area in AREAS for one in _county(area)]
    return [*counties, *_city()]


def _county(area: Area) -> Iterator[Event]:
    stations = [station.id for station in STATIONS if station.area == area.id]
    for number, elements in enumerate(EXPERTS, 1):
        rng = dice("expert", area.id, number)
        yield _expert(
            area.id, number, elements, f"{area.zh}专家{number:02d}",
            industries=rng.sample(sorted(INDUSTRIES), 2),
            resident_at=rng.sample(stations, 1) if number < 4 else [],
            place=rng.choice(stations),
        )  # fmt: skip
    lab: dict[str, Any] = {"kind": "lab", "place": stations[0], "fee": 80_000}
    yield _agency(area.id, "lab", ["TST"], f"{area.zh}公检中心", **lab)
    resident = {"resident_at": [s for s in stations if s in NEAR], "body": HEZHONG, "bonus": 5}
    if resident["resident_at"]:
        yield _agency(area.id, "hezhong", ["QM", "CER", "TEC", "IPR"], "合众服务团队", **resident)


def _city() -> Iterator[Event]:
    elements = (("MET",), ("MET", "TST"), ("STD", "QM", "CER"), ("IPR", "BRD"))
    for number, offered in enumerate(elements, 1):
        name = f"市级专家{number:02d}"
        yield _expert(ROOT, number, offered, name, place=ROOT, capacity=3, cap=12)
    office = {"kind": "department", "powers": ["licence"], "capacity": 4, "cap": 20}
    yield _agency(ROOT, "licences", ["LIC"], "许可审批科", **office)
    steel = {"specialties": ["steel"], "place": ROOT, "calibration_until": CALIBRATED}
    yield _device(ROOT, "steel-tester", ["TST"], "特钢检测中心试验机", **steel)
    old = {"specialties": ["steel"], "place": "yingcheng", "calibration_until": "2025-12-31"}
    yield _device("yingcheng-shi", "steel-tester", ["TST"], "钢材试验机", **old)


def _expert(
    pool: str,
    number: int,
    elements: Sequence[str],
    label: str,
    **more: Any,  # noqa: ANN401  # of the document
) -> Event:
    return _document("expert.registered", pool, f"exp-{number:02d}", elements, label, more)


def _agency(pool: str, name: str, elements: Sequence[str], label: str, **more: Any) -> Event:  # noqa: ANN401
    return _document("agency.admitted", pool, name, elements, label, {"capacity": 3} | more)


def _device(pool: str, name: str, elements: Sequence[str], label: str, **more: Any) -> Event:  # noqa: ANN401
    return _document("equipment.registered", pool, name, elements, label, more)


def _document(  # noqa: PLR0913, PLR0917  # what a document needs
    kind: str, pool: str, name: str, elements: Sequence[str], label: str, more: dict[str, Any]
) -> Event:
    usual = {"capacity": 2, "cap": 6, "elements": list(elements), "label": label}
    return event(kind, f"{pool}.{name}", pool, OPENED, **(usual | more))
