"""The planner a user holds: look, imagine, answer with a plan or with the reason why there is none."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from hiermap.planners import PLANNERS, Avoid, Budget, PlanResult, SearchOptions, Status
from hiermap.worlds.base import Node, Observation, World
from hiermap.worlds.errors import ConfigError, InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.goals import Goal


def check_goal(goal: Goal, frame: SpatialFrame) -> None:
    """Raise InvalidObservationError unless every target has at least one cell and all masks fit the frame."""
    for name, target in goal.targets.items():
        mask = np.asarray(target.mask)
        if mask.shape != frame.shape:
            expected = f"{frame.rows} x {frame.columns}"
            raise InvalidObservationError(
                f"the mask of target {name!r} has shape {mask.shape}, expected the {expected} cells of the spatial frame; "
                "project it with SpatialFrame.point_to_cell"
            )
        if mask.dtype != bool:
            raise InvalidObservationError(f"the mask of target {name!r} is {mask.dtype}, expected bool; threshold it first")
        if not mask.any():
            raise InvalidObservationError(f"the mask of target {name!r} is empty, expected at least one cell; was it hidden at first?")


class Planner:
    """Plans in any world; stateless, and the same seed gives the same plan.

    Args:
        world: where it imagines.
        search: key in `planners.PLANNERS`.
        options: how it searches, by default `SearchOptions()`, which keeps A* optimal; `SearchOptions.learned()` suits learned worlds.

    Raises:
        ConfigError: unknown search.
    """

    def __init__(self, world: World, search: str = "best_first", options: SearchOptions | None = None) -> None:
        if search not in PLANNERS:
            raise ConfigError(f"unknown planner {search!r}; known: {', '.join(PLANNERS)}")
        self.world, self.search, self.options = world, search, options or SearchOptions()

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | Path = "default", device: str = "cpu", search: str = "best_first", options: SearchOptions | None = None
    ) -> Self:
        """A planner in the learned world of shipped weights (by name) or of a weights directory; DataError if they are unusable."""
        # Imported here because torch takes seconds to load and planning in other worlds does not need it.
        from hiermap.model.weights import load_weights
        from hiermap.worlds.imagined.latent import LatentWorld

        return cls(LatentWorld(load_weights(name_or_path, device).model), search, options or SearchOptions.learned())

    def look(self, observation: Observation, goal: Goal) -> Node:
        """The node of what is seen now.

        Raises:
            InvalidObservationError: an image, calibration or target mask that cannot be used.
        """
        check_goal(goal, self.world.frame)
        return self.world.root(observation, goal)

    def predicates(self, node: Node, goal: Goal) -> dict[str, float]:
        """`str(predicate)` -> believed probability in [0, 1]; empty if the world does not say."""
        answer = getattr(self.world, "predicates", None)
        return dict(answer(node, goal)) if answer is not None else {}

    def plan(
        self, observation: Observation, goal: Goal, budget: Budget | None = None, seed: int = 0, avoid: Sequence[Avoid] = ()
    ) -> PlanResult:
        """Search a plan from what is seen now; every outcome is a result with a status and a message, none an exception.

        Args:
            observation: calibrated views and the hand's own state; later ones of an episode carry the first in `extras`.
            goal: predicates over targets seen in the first view.
            budget: what may be spent, by default 30 s and 400 expansions.
            seed: of the randomised searches.
            avoid: actions that failed before.
        """
        budget = budget or Budget()
        options = replace(self.options, avoid=(*self.options.avoid, *avoid))
        try:
            check_goal(goal, self.world.frame)
            rng = np.random.default_rng(seed)
            result = PLANNERS[self.search](self.world, observation, goal, budget, rng, options)
        except InvalidObservationError as error:
            result = PlanResult(Status.INVALID_OBSERVATION, message=str(error))
        return replace(result, observation=observation, goal=goal, budget=budget, seed=seed)
