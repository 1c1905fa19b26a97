"""What a search answers: records, never exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from hiermap.planners.options import Budget
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import Action, Node
from hiermap.worlds.goals import Goal

if TYPE_CHECKING:
    import networkx as nx

    from hiermap.worlds.perception.fusion import SpatialView


def empty_graph() -> "nx.DiGraph":
    """A search graph without nodes."""
    import networkx as nx  # slow to load, and who only reads options needs none

    return nx.DiGraph()


class Status(StrEnum):
    """How a search ended."""

    SOLVED = "solved"
    UNSOLVABLE = "unsolvable"
    """Every state the candidate actions reach was visited and none satisfies the goal."""
    UNSOLVABLE_WITHIN_BUDGET = "unsolvable_within_budget"
    """The allowed expansions or depth ran out first."""
    TIMEOUT = "timeout"
    INVALID_OBSERVATION = "invalid_observation"
    INVALID_GOAL = "invalid_goal"
    """Nothing can make the goal true: what it says contradicts itself, or its targets are no such things."""


@dataclass(frozen=True, eq=False)
class PlanStep:
    """One primitive of a plan.

    Attributes:
        action: what to do where.
        affordance: map value at the action's cell before it, in [0, 1].
        success: probability that it has its effect, in [0, 1].
        seconds: time it takes [s].
        before, after: imagined nodes around it; `before` of the first step is the real view, `after` of a step that was chosen without
            imagining its outcome holds what is promised.
        maps_before, maps: predicted maps of these two, `[P, R, H, W]` in [0, 1]; the same where no maps were imagined.
        point_world: contact point `[3]` [m] in the view it was imagined in, or None where the world knows none.
    """

    action: Action
    affordance: float
    success: float
    seconds: float
    before: Node
    after: Node
    maps_before: np.ndarray
    maps: np.ndarray
    point_world: tuple[float, float, float] | None = None

    @property
    def rotation(self) -> str:
        """Name of the orientation bin."""
        return PRIMITIVES[self.action.primitive].rotations[self.action.rotation_index]

    def to_json(self) -> dict:
        """Plain JSON without maps."""
        return {
            "primitive": self.action.primitive,
            "cell": list(self.action.cell),
            "rotation": self.rotation,
            "rotation_index": self.action.rotation_index,
            "point_world": None if self.point_world is None else list(self.point_world),
            "affordance": self.affordance,
            "success": self.success,
            "seconds": self.seconds,
            "progress": float(self.after.progress),
            "predicates": dict(self.after.predicates),
        }


@dataclass(frozen=True, eq=False)
class Plan:
    """A sequence of steps, its `cost` (time plus risk) [s] and the `progress` it ends with.

    `success_probability` in [0, 1]: that every step has its effect and that the goal then holds.
    """

    steps: tuple[PlanStep, ...] = ()
    cost: float = 0.0
    success_probability: float = 1.0
    progress: float = 0.0

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(step.action for step in self.steps)

    def to_json(self) -> dict:
        """Plain JSON without maps."""
        return {**vars(self), "steps": [step.to_json() for step in self.steps]}


@dataclass(frozen=True, eq=False)
class PlanResult:
    """Outcome of a search; truthy only when solved.

    Attributes:
        status: how it ended.
        plan: the plan, or, when not solved, the most promising partial one (possibly empty).
        alternatives: further complete plans, cheapest first.
        graph: what was imagined; nodes are integers (0 is the real view) with scalar attributes, edges carry the action.
        metrics: "expansions", "generated", "duplicates", "seconds", "depth", and where the world can tell "familiarity" of the place: in
            [0, 1], about 1 where it has learned, 0 where its answers mean nothing; plans promise so many times as much.
        message: what was wrong and what to try, empty when solved in a familiar place.
        view, first, root, goal, budget, seed: the problem, so that execution can go on from here; `first` is the episode's first view.
    """

    status: Status
    plan: Plan = field(default_factory=Plan)
    alternatives: tuple[Plan, ...] = ()
    graph: "nx.DiGraph" = field(default_factory=empty_graph)
    metrics: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    view: "SpatialView | None" = None
    first: "SpatialView | None" = None
    root: Node | None = None
    goal: Goal | None = None
    budget: Budget = field(default_factory=Budget)
    seed: int = 0

    def __bool__(self) -> bool:
        return self.status is Status.SOLVED

    def to_json(self) -> dict:
        """Plain JSON without maps and graph."""
        return {
            "status": str(self.status),
            "message": self.message,
            "goal": str(self.goal) if self.goal is not None else None,
            "seed": self.seed,
            "plan": self.plan.to_json(),
            "alternatives": [plan.to_json() for plan in self.alternatives],
            "metrics": dict(self.metrics),
        }
