"""No search: always take the one action that seems to lead nearest to the goal."""

import numpy as np

from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, Tree


def gain(entry: Entry) -> float:
    """Expected progress if the action is tried once, in [0, 1]; a failure leaves the parent's progress."""
    assert entry.parent is not None
    return entry.success * entry.node.progress + (1.0 - entry.success) * entry.parent.node.progress


def reactive(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """Follow the best expected progress one action at a time; gives up where every action leads to a state seen before."""
    entry, seen = tree.root, {tree.world.key(tree.root.node)}
    while not entry.solved:
        status = tree.spent()
        if status is not None:
            return tree.result(status)
        if not tree.may_deepen(entry):
            return tree.result(Status.UNSOLVABLE_WITHIN_BUDGET)
        children = [child for child in tree.grow([entry])[0] if tree.world.key(child.node) not in seen]
        if not children:
            return tree.result(Status.UNSOLVABLE_WITHIN_BUDGET)
        entry = max(children, key=lambda e: (gain(e), -e.cost, -e.index))
        seen.add(tree.world.key(entry.node))
    return tree.result(Status.SOLVED, [entry])
