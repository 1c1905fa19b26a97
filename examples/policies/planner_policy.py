"""hiermap's own planner behind the interface that everybody's policy has."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from hiermap import Budget, Planner
from hiermap.agent.execute import actions
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.gym.goal_encoding import goal_of
from hiermap.worlds.gym.observations import report_of, view_of


class PlannerPolicy:
    """Plans from the first observation, acts, looks at the next, replans; for control=primitive and obs=fused.

    Args:
        weights: a shipped name or a directory.
        expansions: of every plan.
        max_replans: plans after the first.
    """

    def __init__(self, weights: str = "default", expansions: int = 30, max_replans: int = 8) -> None:
        torch.set_num_threads(1)  # sums in one order, so the same plans on any number of cores
        self.planner = Planner.from_pretrained(weights)
        self.budget, self.max_replans = Budget(seconds=600.0, expansions=expansions), max_replans

    def reset(self, observation: Mapping[str, Any]) -> None:
        """Plan."""
        result = self.planner.plan(view_of(observation, self.planner.world.frame), goal_of(observation), self.budget)
        self.acting = actions(result, self.planner, self.max_replans)
        self.begun = False

    def act(self, observation: Mapping[str, Any]) -> np.ndarray | None:
        """(primitive, row, column, orientation bin); None when the goal is believed to hold, or nothing is left to try."""
        try:
            if self.begun:
                action, _ = self.acting.send((report_of(observation), view_of(observation, self.planner.world.frame)))
            else:
                action, _ = next(self.acting)
        except StopIteration:
            return None
        self.begun = True
        return np.array([list(PRIMITIVES).index(action.primitive), *action.cell, action.rotation_index])
