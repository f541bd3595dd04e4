"""The assignment of few rows to columns for the least cost, as a flow."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

Column = TypeVar("Column", bound=Hashable)


def assigned(costs: Sequence[Mapping[Column, int]]) -> list[Column] | None:
    """Return a column for each row, none twice, so that the costs add up to the least.

    A row can only have the columns that it gives a cost for. None: not all rows can have one.
    """
    columns = list(dict.fromkeys(column for row in costs for column in row))
    place = {column: len(costs) + n for n, column in enumerate(columns)}
    sink = len(costs) + len(columns)
    graph, arcs = SimpleMinCostFlow(), list[tuple[int, Column]]()
    for number, row in enumerate(costs):
        for column, cost in row.items():
            graph.add_arc_with_capacity_and_unit_cost(number, place[column], 1, cost)
            arcs.append((number, column))
        graph.set_node_supply(number, 1)
    for column in columns:
        graph.add_arc_with_capacity_and_unit_cost(place[column], sink, 1, 0)
    graph.set_node_supply(sink, -len(costs))
    if graph.solve() != graph.OPTIMAL:
        return None
    chosen = {row: column for n, (row, column) in enumerate(arcs) if graph.flow(n)}
    return [chosen[row] for row in range(len(costs))]
