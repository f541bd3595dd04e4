"""Single members on times that do not overlap in part: a flow of the least cost, exact and fast.

From the source one unit to each case, on to the times it could take, to the resource, to the sink.
"""

from collections.abc import Iterator
from itertools import pairwise

from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from services.matching.problem import Problem


def flows(problem: Problem) -> bool:
    """Whether the problem is one that a flow solves."""
    if any(len(pick.option.fits) > 1 for pick in problem.picks):
        return False
    for _, numbers in problem.users().values():
        spans = sorted({problem.span(number) for number in numbers})
        if any(a[1] > b[0] for a, b in pairwise(spans)):
            return False
    return True


def flow(problem: Problem) -> list[int] | None:
    """Return the numbers of the picks to take; None when the numbers are too large for it."""
    graph, names = SimpleMinCostFlow(), dict[object, int]()

    def arc(tail: object, head: object, capacity: int, cost: int = 0) -> int:
        a, b = (names.setdefault(name, len(names)) for name in (tail, head))
        return int(graph.add_arc_with_capacity_and_unit_cost(a, b, capacity, cost))

    everything = len(problem.wants)
    for n in range(everything):
        arc("source", n, 1)
        arc(n, "sink", 1)
    taking = [
        arc(pick.case, (pick.option.ids[0], pick.option.start), 1, -pick.points)
        for pick in problem.picks
    ]
    for resource, start, room in _cells(problem):
        arc((resource, start), resource, room)
    for resource, (entry, _) in problem.users().items():
        spare = problem.spare(entry)
        arc(resource, "sink", everything if spare is None else spare)
    graph.set_node_supply(names["source"], everything)
    graph.set_node_supply(names["sink"], -everything)
    if graph.solve() != graph.OPTIMAL:
        return None
    return [number for number, which in enumerate(taking) if graph.flow(which)]


def _cells(problem: Problem) -> Iterator[tuple[str, int, int]]:
    """Yield each time of each resource, and how many cases can take it."""
    for resource, (entry, numbers) in problem.users().items():
        room = {problem.picks[number].option.start: len(problem.wants) for number in numbers}
        for over, left in problem.crowds(entry, numbers):
            start = problem.picks[over[0]].option.start
            room[start] = min(room[start], left)
        yield from ((resource, start, left) for start, left in room.items())
