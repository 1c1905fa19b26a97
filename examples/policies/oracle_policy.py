"""Privileged: told the true state, it does what the exact rules say at the cell where the true geometry has it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action
from hiermap.worlds.gym.observations import view_of
from hiermap.worlds.oracle.affordances import action_for
from hiermap.worlds.rules.shortest_paths import best_moves
from hiermap.worlds.rules.transitions import table_for
from hiermap.worlds.scene import PosedTask

LONGEST = 14
"""Goals farther away than this many primitives are given up."""


class OraclePolicy:
    """A first move of some shortest solution from the true state, until the goal truly holds; for control=primitive and obs=fused.

    A move that did not get the goal nearer is not tried again while another one begins a shortest solution too.
    """

    privileged = True

    def reset(self, observation: Mapping[str, Any], task: PosedTask) -> None:
        """The truth about this episode is in its task."""
        self.kitchen, self.goal = task.scene, task.predicates
        self.tried: Counter[Any] = Counter()

    def act(self, observation: Mapping[str, Any]) -> np.ndarray | None:
        """(primitive, row, column, orientation bin); None where the rules know no way on."""
        spec, scene, view = self.kitchen.spec, self.kitchen.scene(), view_of(observation, self.kitchen.frame)
        found = best_moves(table_for(spec, scene), self.goal, LONGEST)
        masks = self.kitchen.masks()
        actions = [(move, action_for(spec, scene, view, move, masks)) for move in (found[1] if found else ())]
        possible = [(move, action) for move, action in actions if action is not None]
        if not possible:
            return None
        move, action = min(possible, key=lambda pair: self.tried[pair[0]])
        self.tried[move] += 1
        return numbers(action)


def numbers(action: Action) -> np.ndarray:
    """An action as the environment takes it, `[4]`."""
    return np.array([list(PRIMITIVES).index(action.primitive), *action.cell, action.rotation_index])
