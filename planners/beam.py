"""Beam search: at every depth keep the few most promising nodes and imagine them all in one pass."""

from collections.abc import Hashable

import numpy as np

from hiermap.planners.best_first import a_star
from hiermap.planners.options import Budget, SearchOptions
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, plant
from hiermap.worlds.base import Observation, World
from hiermap.worlds.goals import Goal


def beam(
    world: World, observation: Observation, goal: Goal, budget: Budget, rng: np.random.Generator, options: SearchOptions
) -> PlanResult:
    """The cheapest solved entry of the first depth that has one; incomplete when `options.width` is narrow."""
    tree = plant(world, observation, goal, budget, options)
    if isinstance(tree, PlanResult):
        return tree
    level = [tree.root]
    seen: set[Hashable] = {world.key(tree.root.node)}
    narrowed = False
    while level:
        found = sorted((e for e in level if e.solved), key=lambda e: (e.cost, e.index))
        if found:
            return tree.result(Status.SOLVED, found)
        status = tree.spent()
        if status is not None:
            return tree.result(status)
        children = [child for some in tree.grow([e for e in level if tree.may_deepen(e)]) for child in some]
        children.sort(key=lambda e: (*a_star(e, options), e.index))
        fresh: list[Entry] = []
        for child in children:
            key = world.key(child.node)
            if key in seen:
                tree.duplicates += 1
                continue
            seen.add(key)
            fresh.append(child)
        solved = [e for e in fresh if e.solved]
        narrowed |= len(fresh) > options.width
        level = solved or fresh[: options.width]
    return tree.result(Status.UNSOLVABLE_WITHIN_BUDGET if narrowed else tree.exhausted())
