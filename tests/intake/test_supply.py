"""Documents of experts, agencies and equipment: whose they are, and what their events say."""

import json
from typing import Any

import pytest

from bus.keys import Role
from tests.intake.county import STATED, settle
from tests.intake.station import BATCH, Station, event, rules

FOLDERS = ["experts", "agencies", "equipment"]
MOBILE = "13812345678"
SPAN = {"start": "2023-05-07T09:00:00+08:00", "end": "2023-05-07T12:00:00+08:00"}


@pytest.fixture(autouse=True)
async def county(station: Station) -> None:
    await settle(station)


@pytest.mark.parametrize("folder", FOLDERS)
async def test_a_resource_is_registered_with_its_pool_as_its_node_and_read_back(
    station: Station, folder: str
) -> None:
    path = f"/v1/registry/{folder}/county.x"
    answer = await station.put(path, STATED)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].startswith(f"{path}?after=yizhan.registry:0:")
    read = await station.send("GET", path)
    assert read.json() == {
        "id": "county.x", "revision": 1, "data": {**STATED, "revision": 1, "node_id": "county"},
    }  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    ("subject", "place", "wrong"),
    [
        ("yinhu.x", None, ("id", "unknown_pool")),
        ("nowhere.x", "yinhu", ("id", "unknown_pool")),
        ("county.x", "hub", ("node_id", "pool")),
        ("county.x", "nowhere", ("node_id", "unknown_node")),
        ("county", None, ("id", "string_pattern_mismatch")),
        ("county.x", "yinhu", None),
        ("hub.x", "yinhu", None),
        ("hub.x", None, None),
    ],
)
async def test_a_resource_belongs_to_a_registered_pool_and_stands_in_it(
    station: Station, folder: str, subject: str, place: str | None, wrong: tuple[str, str] | None
) -> None:
    document = STATED if place is None else {**STATED, "node_id": place}
    answer = await station.put(f"/v1/registry/{folder}/{subject}", document)
    assert answer.status_code == (422 if wrong else 202), answer.text
    assert wrong is None or wrong in rules(answer)


@pytest.mark.parametrize("folder", FOLDERS)
async def test_an_id_belongs_to_one_expert_agency_or_device(station: Station, folder: str) -> None:
    assert (await station.put(f"/v1/registry/{folder}/county.x", STATED)).status_code == 202
    for other in FOLDERS:
        document = {**STATED, "revision": 2} if other == folder else STATED
        answer = await station.put(f"/v1/registry/{other}/county.x", document)
        assert answer.status_code == (202 if other == folder else 422), answer.text
        assert other == folder or ("id", "taken") in rules(answer)


@pytest.mark.parametrize(
    ("scope", "status"), [("hub", 202), ("county", 202), ("yinhu", 403), ("chengbei", 403)]
)
async def test_a_key_must_cover_the_pool_of_a_resource(
    station: Station, scope: str, status: int
) -> None:
    held = station.holding(scope)
    document = {**STATED, "node_id": "yinhu"}
    assert (await held.put("/v1/registry/experts/county.x", document)).status_code == status


async def test_a_reader_registers_nobody(station: Station) -> None:
    reader = station.holding("hub", Role.READER)
    assert (await reader.put("/v1/registry/experts/county.x", STATED)).status_code == 403


STEPS: dict[str, list[tuple[dict[str, Any], str]]] = {
    "experts": [
        ({}, "expert.registered"),
        ({"calendar": [SPAN]}, "expert.availability_changed"),
        ({"calendar": [SPAN], "status": "active"}, "expert.registered"),
        ({"calendar": [SPAN], "status": "away"}, "expert.availability_changed"),
        ({"busy": [SPAN]}, "expert.availability_changed"),
        ({"busy": [SPAN], "elements": ["STD"]}, "expert.registered"),
        ({"elements": ["STD"], "status": "suspended"}, "expert.suspended"),
        ({"elements": ["STD"]}, "expert.registered"),
        ({"status": "left"}, "expert.withdrawn"),
        ({}, "expert.registered"),
    ],
    "agencies": [
        ({}, "agency.admitted"),
        ({"qualifications": [{"name": "cma"}]}, "agency.qualification_changed"),
        ({"qualifications": [], "fee": 5}, "agency.admitted"),
        ({"fee": 6}, "agency.admitted"),
        ({"status": "left"}, "agency.left"),
    ],
    "equipment": [
        ({}, "equipment.registered"),
        ({"status": "away"}, "equipment.taken_out"),
        ({"units": 2}, "equipment.registered"),
    ],
}


@pytest.mark.parametrize("folder", FOLDERS)
async def test_the_type_of_a_resources_event_says_what_changed_and_a_retry_says_the_same(
    station: Station, folder: str
) -> None:
    path = f"/v1/registry/{folder}/county.x"
    for revision, (document, kind) in enumerate(STEPS[folder], 1):
        for _ in range(2):
            answer = await station.put(path, {**STATED, **document, "revision": revision})
            assert answer.json().get("type") == f"yizhan.{kind}", (document, answer.text)


@pytest.mark.parametrize("wrong", [{"calendar": 5}, {"status": "asleep"}, {"cap": "5"}])
async def test_a_resource_of_the_wrong_shape_is_refused_at_first_and_later(
    station: Station, wrong: dict[str, Any]
) -> None:
    path = "/v1/registry/experts/county.expert"
    answer = await station.put(path, {**STATED, **wrong}, if_match="1")
    assert answer.status_code == 422
    first = await station.put("/v1/registry/experts/county.new", {**STATED, **wrong})
    assert first.status_code == 422


async def test_days_that_no_calendar_has_and_personal_data_are_refused(station: Station) -> None:
    answer = await station.put(
        "/v1/registry/equipment/county.x",
        {**STATED, "calibration_until": "2023-02-31", "valid_from": "2023-02-29",
         "label": f"电话{MOBILE}", "ref": MOBILE},
    )  # fmt: skip
    assert rules(answer) == {
        ("calibration_until", "day"), ("valid_from", "day"),
        ("label", "personal_data"), ("ref", "personal_data"),
    }  # fmt: skip


async def test_a_pool_registered_at_another_intake_a_moment_ago_is_known(station: Station) -> None:
    area = {**STATED, "kind": "area", "tier": "county", "name": "x", "parent": "hub"}
    for i in range(10):
        assert (await station.put(f"/v1/registry/nodes/c{i}", area)).is_success
        assert (await station.put(f"/v1/registry/experts/c{i}.x", STATED)).status_code == 202


async def test_items_of_a_batch_see_the_pools_before_them_and_no_others(station: Station) -> None:
    area = {**STATED, "kind": "area", "tier": "county", "name": "x", "parent": "hub",
            "node_id": "new"}  # fmt: skip
    expert = event("expert.registered", "new.x", {**STATED, "node_id": "new"})
    sent = [expert, event("node.opened", "new", area), expert]
    answer = await station.send("POST", "/v1/events", json.dumps(sent), content_type=BATCH)
    assert [item["status"] for item in answer.json()] == [422, 202, 202]
