"""What /openapi.json tells about intake is what intake does."""

import jsonschema
import pytest

from tests.intake.county import ORDER, STATED
from tests.intake.station import Station, node, service

PATHS = {
    "/v1/services", "/v1/visits", "/v1/problems", "/v1/problems/{id}/solve", "/v1/activities",
    "/v1/benefits", "/v1/benefits/{id}/confirm", "/v1/benefits/{id}/audit",
    "/v1/benefits/{id}/withdraw", "/v1/titles", "/v1/titles/{id}/grant", "/v1/outcomes",
    "/v1/outputs", "/v1/heartbeats", "/v1/events", "/v1/facts/{type}/{subject}",
    "/v1/requests",
    *(f"/v1/registry/{folder}/{{id}}"
      for folder in ("nodes", "enterprises", "experts", "agencies", "equipment")),
    *(f"/v1/requests/{{id}}/{verb}"
      for verb in ("accept", "return", "start", "block", "unblock", "result", "confirm", "dispute",
                   "evaluate", "follow-up", "escalate", "cancel", "close", "reopen")),
    "/v1/offers/{id}/accept", "/v1/offers/{id}/decline",
}  # fmt: skip


async def test_the_paths_are_those_of_the_design(station: Station) -> None:
    told = (await station.client.get("/openapi.json")).json()
    assert told["paths"].keys() == PATHS
    assert told["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("method", "path", "good"),
    [
        ("post", "/v1/services", service(id="yinhu.a")),
        ("put", "/v1/registry/nodes/{id}", node("yinhu", "county")),
        ("post", "/v1/requests", {**ORDER, "id": "county.r-1"}),
        ("post", "/v1/requests/{id}/cancel", {"reason": "x"}),
        ("post", "/v1/offers/{id}/decline", {}),
        ("put", "/v1/registry/agencies/{id}", STATED),
    ],
)
async def test_the_schema_of_a_body_takes_what_intake_takes_and_no_more(
    station: Station, method: str, path: str, good: dict[str, object]
) -> None:
    told = (await station.client.get("/openapi.json")).json()["paths"][path][method]
    schema = told["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(good, schema)
    for wrong in ({**good, "mood": 1}, {**good, "node_id": "Yin Hu"}, {**good, "revision": "1"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
