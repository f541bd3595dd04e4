"""The contract as JSON Schema 2020-12: one schema for the whole event of each type.

What lies in schemas/json/ is written from here by `make schemas`, and a test compares the two.
"""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from schemas.envelope import envelope
from schemas.types import TYPES, EventType

DIALECT = GenerateJsonSchema.schema_dialect
Schema = dict[str, Any]


class _Untitled(GenerateJsonSchema):
    """Leaves out the titles of fields, which repeat their names."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's
        return False


def schema(kind: EventType) -> Schema:
    """Return the schema of an event of this type; `$id` is where every hub serves it."""
    made = envelope(kind).model_json_schema(schema_generator=_Untitled)
    return {"$schema": DIALECT, "$id": f"/schemas/{filename(kind)}", **made}


def filename(kind: EventType) -> str:
    """Return the name of the file that the schema of this type stands in."""
    return f"{kind.name}.json"


def files() -> dict[str, str]:
    """Return the text of every file of schemas/json/, by its name."""
    return {filename(kind): text(schema(kind)) for kind in TYPES.values()}


def text(made: Schema) -> str:
    """Return a schema as it is written: two spaces, Chinese as it is, a newline at the end."""
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"
