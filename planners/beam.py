"""Beam search: at every depth keep the few most promising nodes and imagine them all in one pass."""

from collections.abc import Hashable

import numpy as np

from hiermap.planners.best_first import a_star
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, Tree


def beam(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """The cheapest solved entry of the first depth that has one; incomplete when `tree.options.width` is narrow."""
    level = [tree.root]
    seen: set[Hashable] = {tree.world.key(tree.root.node)}
    narrowed = False
    while level:
        if level[0].solved:  # and so are all
            return tree.result(Status.SOLVED, sorted(level, key=lambda e: (e.cost, e.index)))
        status = tree.spent()
        if status is not None:
            return tree.result(status)
        children = [child for some in tree.grow([e for e in level if tree.may_deepen(e)]) for child in some]
        children.sort(key=lambda e: (*a_star(e, tree.options), e.index))
        fresh: list[Entry] = []
        for child in children:
            key = tree.world.key(child.node)
            if key in seen:
                tree.duplicates += 1
                continue
            seen.add(key)
            fresh.append(child)
        solved = [e for e in fresh if e.solved]
        narrowed |= len(fresh) > tree.options.width
        level = solved or fresh[: tree.options.width]
    return tree.result(Status.UNSOLVABLE_WITHIN_BUDGET if narrowed else tree.exhausted())
