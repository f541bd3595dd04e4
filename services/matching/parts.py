"""Cases that want the same resources belong together; what has none in common is independent."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.matching.option import Option
from services.matching.turns import Lists
from services.matching.wanted import Wanted


def parts(turns: Sequence[Wanted], lists: Lists, more: Mapping[str, Option]) -> list[list[Wanted]]:
    """Return the cases in parts that have no resource in common."""
    leader = {want.case.id: want.case.id for want in turns}

    def find(case: str) -> str:
        while leader[case] != case:
            leader[case] = leader[leader[case]]
            case = leader[case]
        return case

    first: dict[str, str] = {}
    for case in leader:
        options = (*lists[case], *((more[case],) if case in more else ()))
        for resource in {name for one in options for name in one.ids}:
            leader[find(case)] = find(first.setdefault(resource, case))
    found = defaultdict[str, list[Wanted]](list)
    for want in turns:
        found[find(want.case.id)].append(want)
    return list(found.values())
