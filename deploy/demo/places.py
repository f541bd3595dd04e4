"""Where it happens: the hub, nine counties, and fifteen stations with what they are to report."""

from datetime import datetime
from typing import Any, NamedTuple

from deploy.demo.event import Event, event
from schemas.days import SHANGHAI
from schemas.registry import ROOT

OPENED = datetime(2023, 1, 1, 8, tzinfo=SHANGHAI)
ELEMENTS = ("STD", "TST", "CER", "QM", "BRD", "IPR", "POL")
"""What the stations offer; none of them has a metrology room."""

WAN = 1_000_000
"""Fen in 万元."""


class Area(NamedTuple):
    """A county, a city of that rank, or a zone."""

    id: str
    zh: str
    en: str
    region: str


class Station(NamedTuple):
    """A station; `firms` and `services` are its own figures from 2023-01-01 to 2024-07-18.

    The firms of all stations add up to one more than there are: one firm goes to two of them.
    """

    id: str
    zh: str
    en: str
    area: str
    firms: int
    services: int
    staff: int
    flags: tuple[tuple[str, str], ...] = ()


AREAS = (
    Area("xiaonan-qu", "孝南区", "Xiaonan District", "420902"),
    Area("hanchuan-shi", "汉川市", "Hanchuan City", "420984"),
    Area("yingcheng-shi", "应城市", "Yingcheng City", "420981"),
    Area("anlu-shi", "安陆市", "Anlu City", "420982"),
    Area("yunmeng-xian", "云梦县", "Yunmeng County", "420923"),
    Area("dawu-xian", "大悟县", "Dawu County", "420922"),
    Area("xiaochang-xian", "孝昌县", "Xiaochang County", "420921"),
    Area("gaoxin-qu", "高新区", "High-tech Zone", "420900"),
    Area("linkong-qu", "临空区", "Airport Zone", "420900"),
)

ONLINE, APPLIED, PROVINCIAL = "online", "rank_applied", "rank_provincial"

STATIONS = (
    Station("yinhu", "银湖", "Yinhu", "xiaonan-qu", 440, 1230, 13,
            ((ONLINE, "2023-03-01"), (PROVINCIAL, "2024-06-28"))),
    Station("shuangfeng", "双峰", "Shuangfeng", "xiaochang-xian", 96, 690, 4),
    Station("dengjiahe", "邓家河", "Dengjiahe", "gaoxin-qu", 118, 850, 5),
    Station("anlu", "安陆", "Anlu", "anlu-shi", 165, 1190, 6, ((ONLINE, "2023-09-15"),)),
    Station("yingcheng", "应城", "Yingcheng", "yingcheng-shi", 182, 1310, 7,
            ((ONLINE, "2023-06-01"), (APPLIED, "2024-05-20"))),
    Station("hanchuan", "汉川", "Hanchuan", "hanchuan-shi", 236, 1705, 9,
            ((ONLINE, "2023-05-10"), (PROVINCIAL, "2024-06-28"))),
    Station("yunmeng", "云梦", "Yunmeng", "yunmeng-xian", 158, 1140, 6,
            ((ONLINE, "2023-11-01"), (APPLIED, "2024-05-20"))),
    Station("dawu", "大悟", "Dawu", "dawu-xian", 121, 875, 5),
    Station("xiaochang", "孝昌", "Xiaochang", "xiaochang-xian", 112, 810, 5),
    Station("xiaonan", "孝南", "Xiaonan", "xiaonan-qu", 205, 1480, 8,
            ((ONLINE, "2024-01-08"), (APPLIED, "2024-07-01"))),
    Station("gaoxin", "高新", "Gaoxin", "gaoxin-qu", 210, 1520, 8,
            ((ONLINE, "2023-04-03"), (APPLIED, "2024-07-01"))),
    Station("linkong", "临空", "Linkong", "linkong-qu", 104, 750, 5),
    Station("chengdong", "城东", "Chengdong", "hanchuan-shi", 93, 670, 4),
    Station("yangdian", "杨店", "Yangdian", "xiaonan-qu", 82, 595, 4),
    Station("xiaogang", "肖港", "Xiaogang", "xiaonan-qu", 79, 585, 4),
)  # fmt: skip

YINHU: dict[str, Any] = {
    "quality_officers": 1,
    "floor_m2": 2600,
    "land_mu": 700,
    "funds_own": 30 * WAN,
    "funds_support": 200 * WAN,
    "agencies": 10,
}


def nodes() -> list[Event]:
    """Return the documents of all nodes, parents before children."""
    return [_hub(), *map(_area, AREAS), *map(_station, STATIONS)]


def _opened(node: str, kind: str, zh: str, en: str, **more: Any) -> Event:  # noqa: ANN401
    document = {"kind": kind, "name": zh, "name_en": en, **more}
    return event("node.opened", node, node, OPENED, actor_role="authority", **document)


def _hub() -> Event:
    # The province's count is what was reported, beside the two that are counted here.
    reported = {"name": "rank_provincial_in_province", "value": 20, "unit": "个"}
    return _opened(
        ROOT,
        "hub",
        "孝感市质量基础设施一站式服务总平台",
        "Xiaogan quality infrastructure hub",
        tier="city",
        region_code="420900",
        indicators=[reported],
    )


def _area(area: Area) -> Event:
    return _opened(
        area.id, "area", area.zh, area.en, tier="county", parent=ROOT, region_code=area.region
    )


def _station(station: Station) -> Event:
    own = YINHU if station.id == "yinhu" else {}
    return _opened(
        station.id,
        "station",
        station.zh,
        station.en,
        tier="park",
        parent=station.area,
        region_code=next(area.region for area in AREAS if area.id == station.area),
        elements=list(ELEMENTS),
        flags=[{"flag": flag, "from": since} for flag, since in station.flags],
        heads=1,
        staff=station.staff,
        **own,
    )
