"""Bundles, and times that overlap in part: CP-SAT, limited by its work, not by the clock."""

from collections import defaultdict
from collections.abc import Container, Sequence

from ortools.sat.python.cp_model import FEASIBLE, OPTIMAL, CpModel, CpSolver, IntVar

from services.matching.problem import Problem


def exact(problem: Problem, hint: Container[int], effort: float) -> list[int]:
    """Return the numbers of the picks to take; the best that was found within `effort`.

    `hint` are picks that go together, to begin with. The same problem has the same answer.
    """
    model, takes = modelled(problem)
    for number, take in enumerate(takes):
        model.add_hint(take, number in hint)
    solver = CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = effort
    if solver.solve(model) not in {OPTIMAL, FEASIBLE}:
        return []
    return [number for number, take in enumerate(takes) if solver.boolean_value(take)]


def modelled(problem: Problem) -> tuple[CpModel, list[IntVar]]:
    """Return the problem as a model, with a variable for each pick: whether it is taken."""
    model = CpModel()
    takes = [model.new_bool_var("") for _ in problem.picks]
    own = defaultdict[int, list[int]](list)
    for number, pick in enumerate(problem.picks):
        own[pick.case].append(number)
    for mine in own.values():
        model.add_at_most_one(takes[n] for n in mine)
    for numbers, room in _scarce(problem):
        if room == 1:
            model.add_at_most_one(takes[n] for n in numbers)
        else:
            model.add(sum(takes[n] for n in numbers) <= room)
    model.maximize(sum(pick.points * t for pick, t in zip(problem.picks, takes, strict=True)))
    return model, takes


def _scarce(problem: Problem) -> list[tuple[Sequence[int], int]]:
    found: list[tuple[Sequence[int], int]] = []
    for entry, numbers in problem.users().values():
        found += problem.crowds(entry, numbers)
        spare = problem.spare(entry)
        if spare is not None and spare < len(numbers):
            found.append((numbers, spare))
    return found
