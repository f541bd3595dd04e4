"""To see what would be if a request, or what the registry says of a resource, were different."""

import json
from collections.abc import Sequence
from typing import Any

from schemas.decisions import Relaxation
from schemas.demand import Demand
from services.matching.choice import Case
from services.matching.supply import Supply


def relaxed(case: Case, relaxation: Sequence[Relaxation], supply: Supply) -> tuple[Case, Supply]:
    """Return a case and a supply in which the changes are made; those given stay as they are.

    A change of a resource that is not there changes nothing.
    """
    wishes = [change for change in relaxation if change.resource is None]
    if wishes:
        demand = Demand.model_validate_json(_changed(case.moved.demand, wishes))
        case = case._replace(moved=case.moved.model_copy(update={"demand": demand}))
    for change in relaxation:
        if change.resource is not None and (known := supply.find(change.resource)) is not None:
            other = type(known).model_validate_json(_changed(known, [change]))
            supply = supply.instead(change.resource, other)
    return case, supply


def _changed(model: Any, changes: Sequence[Relaxation]) -> str:  # noqa: ANN401  # any of our models
    tree = model.model_dump(mode="json", by_alias=True)
    for change in changes:
        at, (*path, last) = tree, change.field.split(".")
        for step in path:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[last] = json.loads(change.to)
    return json.dumps(tree)
