"""What /openapi.json says: bodies are read strictly by hand, so their schemas are told by hand."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from schemas.problems import CONTENT_TYPE as PROBLEM


def _problem(says: str) -> dict[str, Any]:
    return {"description": says, "content": {PROBLEM: {"schema": {"type": "object"}}}}


_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Durable; the verdict will be at Location."},
    400: _problem("Not understood, or an id is missing."),
    401: _problem("No valid key."),
    403: _problem("The key does not reach that far."),
    404: _problem("There is no such type, request or assignment."),
    408: _problem("The body did not arrive in time."),
    413: _problem("Too large."),
    415: _problem("Of another media type."),
    422: _problem("Understood, but against the rules; `errors` names each field."),
    428: _problem("If-Match is missing."),
    503: _problem("The log, or the hub, cannot take it now; try again."),
}
_KEY = [Depends(HTTPBearer(scheme_name="key", description="yz_…", auto_error=False))]
"""Says that a key is needed; whether it is right, the door judges."""


def described(  # noqa: PLR0913  # what there is to say about a route
    routes: APIRouter,
    method: str,
    path: str,
    model: type[BaseModel] | None,
    endpoint: Callable[[Request], Awaitable[Response]],
    *,
    id_: bool = False,
    optional: Collection[str] = (),
) -> None:
    """Add a route that takes a body of `model` (None: any object), with an optional `id`.

    Fields of the model that are `optional` here have defaults of intake's own.
    """
    routes.add_api_route(
        path,
        endpoint,
        methods=[method],
        status_code=202,
        response_class=Response,
        responses=_ANSWERS,
        dependencies=_KEY,
        name=f"{method.lower()} {path}",
        summary=(model.__doc__ or "").partition("\n")[0] if model else None,
        openapi_extra=_extra(method, path, _body(model, id_, optional), id_),
    )


def _extra(method: str, path: str, schema: dict[str, Any], id_: bool) -> dict[str, Any]:  # noqa: FBT001
    parameters = [_text(name, "path") for name in _names(path)]
    if id_:
        parameters.append(_text("Idempotency-Key", "header"))
    if method != "POST":
        parameters.append(_text("If-Match", "header"))
    body = {"required": method != "DELETE", "content": {"application/json": {"schema": schema}}}
    return {"parameters": parameters, "requestBody": body}


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _text(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}


def _body(model: type[BaseModel] | None, id_: bool, optional: Collection[str]) -> dict[str, Any]:  # noqa: FBT001
    if model is None:
        return {"type": "object"}
    whole = model.model_json_schema()
    schema: dict[str, Any] = _inlined(whole, whole.pop("$defs", {}))
    default = {"revision", *optional}
    schema["required"] = [name for name in schema.get("required", []) if name not in default]
    schema["additionalProperties"] = False
    if id_:
        schema["properties"]["id"] = {"type": "string", "description": "An id of your own."}
    return schema


def _inlined(part: Any, parts: dict[str, Any]) -> Any:  # noqa: ANN401  # any piece of a JSON Schema
    """Put what is referred to in place: a reference in OpenAPI would need a name for all."""
    if isinstance(part, dict):
        if "$ref" in part:
            return _inlined(parts[part["$ref"].rpartition("/")[2]], parts)
        return {name: _inlined(value, parts) for name, value in part.items()}
    return [_inlined(value, parts) for value in part] if isinstance(part, list) else part


def events(
    routes: APIRouter,
    endpoint: Callable[[Request], Awaitable[Response]],
    taken: tuple[str, ...],
) -> None:
    """Add the route for whole events, of the media types `taken`."""
    schema = {"description": "CloudEvents 1.0 in structured JSON mode."}
    answers = {s: a for s, a in _ANSWERS.items() if s not in (202, 404, 422, 428)}
    routes.add_api_route(
        "/v1/events",
        endpoint,
        methods=["POST"],
        status_code=207,
        response_class=Response,
        responses={**answers, 207: {"description": "One answer per event, in their order."}},
        name="post /v1/events",
        openapi_extra={
            "requestBody": {"required": True, "content": {t: {"schema": schema} for t in taken}}
        },
        dependencies=_KEY,
    )
