"""No search and no map: the one action that a trained policy would take now."""

import numpy as np

from hiermap.planners.failure_memory import discount
from hiermap.planners.plan import PlanResult, Status
from hiermap.planners.search_tree import Entry, Tree
from hiermap.worlds.base import Acting, Action
from hiermap.worlds.errors import ConfigError

UNJUDGED = 0.0
"""Success of an action that nothing has judged: execution does not hold it against its maps, and so neither drops nor re-aims it."""


def vector(tree: Tree, rng: np.random.Generator) -> PlanResult:
    """The likeliest action of the world's policy, less likely where it failed before; only what it leads to is imagined, to be remembered.

    Raises:
        ConfigError: the world has no policy.
    """
    if tree.root.solved:
        return tree.result(Status.SOLVED, [tree.root])
    status = tree.spent()
    if status is not None:
        return tree.result(status)
    action, chance = _choice(tree)
    tree.expansions += 1
    outcome = tree.world.expand([tree.root.node], [[action]], tree.goal)[0][0]
    missing, seconds = tree.heuristic(outcome.node), outcome.cost
    step = tree.keep(Entry(-1, outcome.node, missing, tree.root, action, chance, UNJUDGED, seconds, cost=seconds, depth=1))
    return tree.result(Status.SOLVED, [step]) if step.solved else tree.result(Status.UNSOLVABLE_WITHIN_BUDGET)


def _choice(tree: Tree) -> tuple[Action, float]:
    if not isinstance(tree.world, Acting):
        raise ConfigError(f"planner=vector asks a trained policy, and a {type(tree.world).__name__} has none; take world=latent")
    chances = tree.world.policy(tree.root.node, tree.goal)
    return max(chances.items(), key=lambda item: item[1] * discount(item[0], tree.options.avoid, 0, tree.options.memory))
