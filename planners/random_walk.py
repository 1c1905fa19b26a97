"""Random walks over the maps' peaks: the baseline that knows what can be done but not what for."""

import numpy as np

from hiermap.planners.options import Budget, SearchOptions
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, plant
from hiermap.worlds.base import Observation, World
from hiermap.worlds.goals import Goal


def random_walk(
    world: World, observation: Observation, goal: Goal, budget: Budget, rng: np.random.Generator, options: SearchOptions
) -> PlanResult:
    """Walks of up to `options.max_depth` actions, each drawn in proportion to its success, until one reaches the goal.

    Every walked action counts against the allowed expansions, also where an earlier walk has imagined it already.
    """
    tree = plant(world, observation, goal, budget, options)
    if isinstance(tree, PlanResult):
        return tree
    grown: dict[int, list[Entry]] = {}
    entry, walked = tree.root, 0
    while not entry.solved:
        status = tree.spent() or (Status.UNSOLVABLE_WITHIN_BUDGET if walked >= budget.expansions else None)
        if status is not None:
            return tree.result(status)
        walked += 1
        if entry.index not in grown:
            grown[entry.index] = tree.grow([entry])[0]
        children = grown[entry.index]
        if not children and entry is tree.root:
            return tree.result(Status.UNSOLVABLE)
        if not children or entry.depth >= options.max_depth:
            entry = tree.root
            continue
        weights = np.array([child.success for child in children])
        entry = children[int(rng.choice(len(children), p=weights / weights.sum()))]
    return tree.result(Status.SOLVED, [entry])
