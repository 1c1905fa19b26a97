"""Random walks over the maps' peaks: the baseline that knows what can be done but not what for."""

import numpy as np

from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, Tree


def random_walk(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """Walks of up to `tree.options.max_depth` actions, each drawn in proportion to its success, until one reaches the goal.

    Every walked action counts against the allowed expansions, also where an earlier walk has imagined it already.
    """
    grown: dict[int, list[Entry]] = {}
    entry, walked = tree.root, 0
    while not entry.solved:
        status = tree.spent() or (Status.UNSOLVABLE_WITHIN_BUDGET if walked >= tree.budget.expansions else None)
        if status is not None:
            return tree.result(status)
        walked += 1
        if entry.index not in grown:
            grown[entry.index] = tree.grow([entry])[0]
        children = grown[entry.index]
        if not children and entry is tree.root:
            return tree.result(Status.UNSOLVABLE)
        if not children or entry.depth >= tree.options.max_depth:
            entry = tree.root
            continue
        weights = np.array([child.success for child in children])
        entry = children[int(rng.choice(len(children), p=weights / weights.sum()))]
    return tree.result(Status.SOLVED, [entry])
