"""The planner a user holds: look, imagine, answer with a plan or with the reason why there is none."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from hiermap.agent.watch import check_scene
from hiermap.planners import PLANNERS, Avoid, Budget, PlanResult, SearchOptions, Status, Tree
from hiermap.planners.candidates import candidates
from hiermap.planners.search_tree import Candidates, Heuristic, missing_primitives
from hiermap.worlds.base import Action, Familiar, Node, Observation, World
from hiermap.worlds.errors import ConfigError, InvalidGoalError, InvalidObservationError
from hiermap.worlds.goals import Goal
from hiermap.worlds.perception.clicks import grown
from hiermap.worlds.perception.fusion import SpatialView, see
from hiermap.worlds.sense import check_goal, check_masks

_log = logging.getLogger(__name__)
UNFAMILIAR = 0.5
"""A place less familiar than this is warned of."""
_UNFAMILIAR = "this place is unlike what the weights have learned from (familiarity {:.2f}), so maps, beliefs and plan may be wrong"
Seen = Observation | SpatialView
"""What a robot hands over: camera images, or a view that is fused already."""


@dataclass(frozen=True, eq=False)
class Deed:
    """An action that was done, whether it is believed to have had its effect, and what was seen afterwards."""

    action: Action
    effect: bool
    after: SpatialView


class Planner:
    """Plans in any world; stateless, and the same seed gives the same plan.

    Args:
        world: where it imagines.
        search: key in `hiermap.planners.PLANNERS`.
        options: how it searches, by default `SearchOptions()`, which keeps A* optimal; `SearchOptions.learned()` suits learned worlds.
        heuristic: estimated number of missing primitives of a node; by default the world's own.
        propose: which actions are worth imagining; by default the peaks of the maps.

    Raises:
        ConfigError: unknown search.
    """

    def __init__(
        self,
        world: World,
        search: str = "best_first",
        options: SearchOptions | None = None,
        heuristic: Heuristic = missing_primitives,
        propose: Candidates = candidates,
    ) -> None:
        if search not in PLANNERS:
            raise ConfigError(f"unknown planner {search!r}; known: {', '.join(PLANNERS)}")
        self.world, self.search, self.options = world, search, options or SearchOptions()
        self.heuristic, self.propose = heuristic, propose

    @classmethod
    def from_pretrained(
        cls, name_or_path: str | Path = "default", device: str = "cpu", search: str = "best_first", options: SearchOptions | None = None
    ) -> Self:
        """A planner in the learned world of shipped weights (by name) or of a weights directory; DataError if they are unusable."""
        # Imported here because torch takes seconds to load and planning in other worlds does not need it.
        from hiermap.model.weights import load_weights
        from hiermap.worlds.imagined.latent import LatentWorld

        return cls(LatentWorld(load_weights(name_or_path, device).model), search, options or SearchOptions.learned())

    def see(self, seen: Seen) -> SpatialView:
        """The one view of what is seen, in the world's frame: an observation is fused here and nowhere else.

        Raises:
            InvalidObservationError: an image or calibration that cannot be used.
        """
        return see(seen, self.world.frame)

    def plan(
        self,
        seen: Seen,
        goal: Goal,
        budget: Budget | None = None,
        seed: int = 0,
        avoid: Sequence[Avoid] = (),
        first: Seen | None = None,
        past: Sequence[Deed] = (),
    ) -> PlanResult:
        """Search a plan from what is seen now; every outcome is a result with a status and a message, none an exception.

        Args:
            seen: calibrated images and the hand's own state, or a fused view.
            goal: predicates over targets seen in the first view; a target of one cell is a click and grows to the thing it touches.
            budget: what may be spent, by default 30 s and 400 expansions.
            seed: of the randomised searches.
            avoid: actions that failed before.
            first: the first view of the episode, if `seen` is a later one.
            past: what was done since `first`.
        """
        try:
            view = self.see(seen)
            start = view if first is None else self.see(first)
            check_scene(view, start)
            check_masks(goal, self.world.frame)
            goal = grown(goal, start)
            check_goal(goal)
            root = self._root(view, goal, start, past)
        except (InvalidObservationError, InvalidGoalError) as error:
            status = Status.INVALID_GOAL if isinstance(error, InvalidGoalError) else Status.INVALID_OBSERVATION
            return PlanResult(status, message=str(error), goal=goal, budget=budget or Budget(), seed=seed)
        result = replace(self.plan_from(root, goal, budget, seed, avoid), view=view, first=start)
        if result.metrics.get("familiarity", 1.0) < UNFAMILIAR:
            _log.warning(result.message)
        return result

    def _root(self, view: SpatialView, goal: Goal, first: SpatialView, past: Sequence[Deed]) -> Node:
        """The node of what is seen now, after what was done has been gone through again with this goal in mind."""
        if not past:
            return self.world.root(view, goal, first)
        node = self.world.root(first, goal, first)
        for deed, after in zip(past, [*(deed.after for deed in past[:-1]), view], strict=True):
            expected = self.world.expand([node], [[deed.action]], goal)[0][0].node if deed.effect else node
            node = self.world.root(after, goal, first, expected)
        return node

    def plan_from(self, root: Node, goal: Goal, budget: Budget | None = None, seed: int = 0, avoid: Sequence[Avoid] = ()) -> PlanResult:
        """As `plan`, from a root of the planner's world."""
        options = replace(self.options, avoid=(*self.options.avoid, *avoid))
        tree = Tree(self.world, root, goal, budget or Budget(), options, self.heuristic, self.propose)
        result = replace(PLANNERS[self.search](tree, np.random.default_rng(seed)), seed=seed)
        familiarity = self.world.familiarity(root) if isinstance(self.world, Familiar) else None
        return result if familiarity is None else doubted(result, familiarity)


def doubted(result: PlanResult, familiarity: float) -> PlanResult:
    """A result that tells how familiar the place is, with plans that promise less where it is not."""
    plan, *others = (replace(p, success_probability=familiarity * p.success_probability) for p in (result.plan, *result.alternatives))
    message = result.message
    if familiarity < UNFAMILIAR:
        message = "; ".join(filter(None, (_UNFAMILIAR.format(familiarity), message)))
    metrics = {**result.metrics, "familiarity": familiarity}
    return replace(result, plan=plan, alternatives=tuple(others), metrics=metrics, message=message)
