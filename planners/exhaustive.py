"""Exhaustive search: ground truth for small worlds, blind to priors and heuristics."""

import heapq
from collections.abc import Hashable

import numpy as np

from hiermap.planners.candidates import Candidate, every_action
from hiermap.planners.options import Budget, SearchOptions
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import LEAST_SUCCESS, Entry, plant
from hiermap.worlds.base import Observation, World
from hiermap.worlds.goals import Goal


def exhaustive(
    world: World, observation: Observation, goal: Goal, budget: Budget, rng: np.random.Generator, options: SearchOptions
) -> PlanResult:
    """The cheapest plan over every cell and orientation above the least success, in order of cost (Dijkstra 1959)."""
    tree = plant(world, observation, goal, budget, options)
    if isinstance(tree, PlanResult):
        return tree

    def everything(entry: Entry) -> list[Candidate]:
        return every_action(entry.node.maps, LEAST_SUCCESS)

    frontier = [(0.0, 0, tree.root)]
    closed: set[Hashable] = set()
    while frontier:
        _, _, entry = heapq.heappop(frontier)
        if entry.solved:
            return tree.result(Status.SOLVED, [entry, *(e for _, _, e in sorted(frontier, key=lambda item: item[:2]) if e.solved)])
        key = world.key(entry.node)
        if key in closed or not tree.may_deepen(entry):
            tree.duplicates += key in closed
            continue
        status = tree.spent()
        if status is not None:
            return tree.result(status)
        closed.add(key)
        for child in tree.grow([entry], everything)[0]:
            heapq.heappush(frontier, (child.cost, child.index, child))
    return tree.result(tree.exhausted())
