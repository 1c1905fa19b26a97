"""Exhaustive search: ground truth for small worlds, blind to priors and heuristics."""

import heapq
from collections.abc import Hashable

import numpy as np

from hiermap.planners.candidates import every_action
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import LEAST_SUCCESS, Tree


def exhaustive(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """The cheapest plan over every cell and orientation above the least success, in order of cost (Dijkstra 1959)."""
    frontier = [(0.0, 0, tree.root)]
    closed: set[Hashable] = set()
    while frontier:
        _, _, entry = heapq.heappop(frontier)
        if entry.solved:
            return tree.result(Status.SOLVED, [entry, *(e for _, _, e in sorted(frontier, key=lambda item: item[:2]) if e.solved)])
        key = tree.world.key(entry.node)
        if key in closed or not tree.may_deepen(entry):
            tree.duplicates += key in closed
            continue
        status = tree.spent()
        if status is not None:
            return tree.result(status)
        closed.add(key)
        for child in tree.grow([entry], lambda maps, *_: every_action(maps, LEAST_SUCCESS))[0]:
            heapq.heappush(frontier, (child.cost, child.index, child))
    return tree.result(tree.exhausted())
