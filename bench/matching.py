"""How fast people are chosen, and how well: `python -m bench.matching`.

First: assignments per second for windows of 1,000 requests with 20 candidates each, far more than
can have their best. Second: a trace of requests that come with exponential gaps to a county that
cannot serve them all this week. Three ways to serve it: each as it arrives, windows of 100 ms, and
an optimum that knew all of them beforehand. Time is virtual, and every booking stays.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from random import Random

from ortools.sat.python.cp_model import FEASIBLE, OPTIMAL, CpSolver
from rich.console import Console
from rich.table import Table

from bench.crowd import MORNING, case, people
from services.matching.choice import Candidate, Case, Choice
from services.matching.choose import choose, greedy, rank
from services.matching.diary import Diary
from services.matching.exact import modelled
from services.matching.option import Option, fitting, option, timed
from services.matching.problem import problem
from services.matching.roster import Roster
from services.matching.rules import Rules
from services.matching.supply import Supply
from services.matching.times import STEP, instant
from services.matching.value import worth
from services.matching.wanted import Wanted, wanted

RULES = Rules(notice=timedelta(0), horizon=timedelta(days=5))
WINDOW = timedelta(milliseconds=100)
Found = dict[str, Candidate]
Ways = dict[str, Option]
Way = Callable[[list[Case], Diary, datetime], Found]
Run = Callable[[list[Case], Supply, Diary, datetime, Rules], Found]

READING = """
Value goes by how many are served, then by score. Scores are of orders of magnitude: who knows the
enterprise, whose industry, who is near. Hindsight knew all requests beforehand: nothing that
decides as they come can be expected to reach it. Rates are of one thread, with alternatives."""


def served(cases: list[Case], supply: Supply, diary: Diary, now: datetime, rules: Rules) -> Found:
    """Return what choosing gives."""
    answers = choose(cases, supply, diary, now, rules, explain=())
    return {name: a.candidate for name, a in answers.items() if isinstance(a, Choice)}


def speeds(runs: int, console: Console) -> None:
    """Measure windows of 1,000 requests."""
    table = Table("window of 1,000", "assignments/s, median", "least", "most", "served")
    for name, durations in (("all of 60 minutes", (60,)), ("30, 60 and 90 minutes", (30, 60, 90))):
        rng = Random(1)
        supply = people(100, 5, 5, rng)
        cases = [case(n, MORNING, 5, rng.choice(durations), rng) for n in range(1000)]
        for way, run in (("choose", served), ("one after another", greedy)):
            rates, count = [], 0
            for _ in range(runs):
                began = time.perf_counter()
                count = len(run(cases, supply, Diary(), MORNING, RULES))
                rates.append(count / (time.perf_counter() - began))
            figures = (f"{f(rates):,.0f}" for f in (statistics.median, min, max))
            table.add_row(f"{way}, {name}", *figures, f"{count:,}")
    console.print(table)
    supply, rng = people(1000, 5, 5, Random(1)), Random(2)
    alone = case(0, MORNING, 5, 60, rng)
    took = [_timed(lambda: rank(alone, supply, Diary(), MORNING, RULES)) for _ in range(20)]
    console.print(f"one request in a pool of 1,000: {statistics.median(took) * 1000:.1f} ms")


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def arrivals(count: int, rate: float, rng: Random) -> list[Case]:
    """Return requests with exponential gaps, `rate` per second on average."""
    found, at = [], MORNING
    for n in range(count):
        at += timedelta(seconds=rng.expovariate(rate))
        found.append(case(n, at, 3, rng.choice((30, 60, 90)), rng))
    return found


def replay(cases: Iterable[Case], window: timedelta | None, way: Way) -> Found:
    """Serve a trace in virtual time, by windows or (None) each request as it arrives."""
    diary, found, waiting = Diary(), Found(), list(cases)
    while waiting:
        now = waiting[0].moved.submitted_at + (window or timedelta(0))
        due = [c for c in waiting if c.moved.submitted_at <= now][: None if window else 1]
        waiting = waiting[len(due) :]
        for name, candidate in way(due, diary, now).items():
            found[name] = candidate
            diary.book(name, candidate.members)
    return found


def hindsight(wants: list[Wanted], roster: Roster, hint: Ways, seconds: float) -> tuple[Ways, str]:
    """Return the optimum that knew all arrivals, and how well it is proven."""
    options = [[*{o.key: o for o in (*_grid(w, roster), *_of(w, hint))}.values()] for w in wants]
    asked = problem(wants, options, roster)
    model, takes = modelled(asked)
    for pick, take in zip(asked.picks, takes, strict=True):
        model.add_hint(take, hint.get(wants[pick.case].case.id) == pick.option)
    solver = CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    taken = [p for p, t in zip(asked.picks, takes, strict=True) if solver.boolean_value(t)]
    assert status in {OPTIMAL, FEASIBLE}, solver.status_name(status)
    gap = solver.best_objective_bound / max(1.0, solver.objective_value) - 1
    how = "proven" if status == OPTIMAL else f"not proven; at most {gap:.4%} more value"
    return {wants[pick.case].case.id: pick.option for pick in taken}, how


def _of(want: Wanted, ways: Ways) -> list[Option]:
    return [ways[want.case.id]] if want.case.id in ways else []


def _grid(want: Wanted, roster: Roster) -> Iterable[Option]:
    """Yield whoever fits, at all starts on the half hour after the request has come."""
    for fit in fitting(want, 0, roster):
        free = timed(fit, want, 0, roster)
        for start, end in free.spans:
            last = min(end, want.window[1]) - want.length
            for at in range(max(start, want.window[0]), last + 1, 6 * STEP):
                yield option((free,), at, want, roster)


def seen(wants: Iterable[Wanted], found: Found, roster: Roster) -> Ways:
    """Return what was found as it looks in the morning, so that all ways are scored alike."""
    ways: Ways = {}
    for want in wants:
        if want.case.id in found:
            member = found[want.case.id].members[0]
            fit = next(f for f in fitting(want, 0, roster) if f.entry.id == member.id)
            free = timed(fit, want, 0, roster)
            ways[want.case.id] = option((free,), instant(member.start), want, roster)
    return ways


def trace(count: int, seconds: float, console: Console) -> None:
    """Serve a trace in three ways and print what each was worth."""
    supply, cases = people(15, 3, 3, Random(3)), arrivals(count, 40.0, Random(4))
    simple = replay(cases, None, partial(_chosen, greedy, supply))
    windows = replay(cases, WINDOW, partial(_chosen, served, supply))
    roster = Roster(supply, Diary(), MORNING, RULES)
    wants = [wanted(c, supply, c.moved.submitted_at, RULES) for c in cases]
    rows = {"one after another, on arrival": seen(wants, simple, roster),
            "choose, windows of 100 ms": seen(wants, windows, roster)}  # fmt: skip
    best = max(rows.values(), key=lambda ways: worth(wants, ways))
    rows["hindsight"], how = hindsight(wants, roster, best, seconds)
    table = Table(f"{count:,} requests", "served", "score", "score to hindsight")
    whole = _points(rows["hindsight"])
    for name, ways in rows.items():
        points = _points(ways)
        table.add_row(name, f"{len(ways)}", f"{points:,}", f"{points / whole:.2%}")
    console.print(table)
    console.print(f"hindsight: {how}")


def _chosen(run: Run, supply: Supply, cases: list[Case], diary: Diary, now: datetime) -> Found:
    return run(cases, supply, diary, now, RULES)


def _points(ways: Ways) -> int:
    return sum(one.points for one in ways.values())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--arrivals", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=60, help="for the optimum in hindsight")
    asked, console = parser.parse_args(), Console()
    speeds(asked.runs, console)
    trace(asked.arrivals, asked.seconds, console)
    console.print(READING, soft_wrap=True)


if __name__ == "__main__":
    main()
