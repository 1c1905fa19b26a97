"""No search: take the one action that seems to lead nearest to the goal, or, as a baseline, any that seems possible."""

from dataclasses import replace

import numpy as np

from hiermap.planners.best_first import a_star
from hiermap.planners.lazy import guesses
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, Tree

ONE_STEP = "one step, chosen without imagining its outcome: carry it out, look again and plan again; a search plans whole sequences"
NOTHING_POSSIBLE = "the present maps hold no action at all; lower the peak threshold"


def gain(entry: Entry) -> float:
    """Expected progress if the action is tried once, in [0, 1]; a failure leaves the parent's progress."""
    assert entry.parent is not None
    return entry.success * entry.node.progress + (1.0 - entry.success) * entry.parent.node.progress


def reactive(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """The one action of the present maps that promises most, weighed as in A*; nothing is imagined, so it never claims a whole plan.

    Raises:
        ConfigError: the world has no foresight, or its model was trained without.
    """
    if tree.root.solved:
        return tree.result(Status.SOLVED, [tree.root])
    status = tree.spent()
    if status is not None:
        return tree.result(status)
    promised = [tree.keep(child) for child in guesses(tree, [tree.root])]
    best = sorted(promised, key=lambda e: (*a_star(e, tree.options), e.index))[:1]
    return replace(tree.result(Status.UNSOLVABLE_WITHIN_BUDGET, best), message=ONE_STEP if best else NOTHING_POSSIBLE)


def greedy_rollout(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """In imagination follow the best expected progress one action at a time; gives up where every action leads to a state seen before."""
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
