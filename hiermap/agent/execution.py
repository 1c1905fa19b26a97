"""Records of an execution: what was seen between primitives, what was done, and how it went."""

from dataclasses import dataclass

import numpy as np

from hiermap.planners import Avoid, PlanResult, PlanStep
from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Action, Node
from hiermap.worlds.perception.fusion import SpatialView


@dataclass(frozen=True, eq=False)
class Moment:
    """What is seen between two primitives, the node it stands for, and that node's maps `[P, R, H, W]`."""

    view: SpatialView
    node: Node
    maps: np.ndarray


@dataclass(frozen=True, eq=False)
class ExecutedStep:
    """One primitive that was run.

    Attributes:
        plan: 0 for the first plan, n for the n-th replan.
        planned: the step as it was imagined.
        action: what was done, re-aimed in the real view.
        affordance: value of the real map at its cell, in [0, 1].
        report: what the motor program said.
        before, after: the moments around it.
        change_seen: share of the imagined change of the maps that the real view shows; 1 as imagined, 0 nothing happened.
        effect: whether the step is believed to have had its effect.
    """

    plan: int
    planned: PlanStep
    action: Action
    affordance: float
    report: PrimitiveResult
    before: Moment
    after: Moment
    change_seen: float
    effect: bool


@dataclass(frozen=True, eq=False)
class ExecutionResult:
    """How an execution went; truthy when the goal is believed to hold.

    Attributes:
        success: the planner's belief after its last look, never the simulator's truth.
        progress: of the last look, in [0, 1].
        steps: primitives run, in order.
        plans: the first plan and every replan.
        failure_reason: "" or why it stopped.
        avoid: the failures that are remembered.
    """

    success: bool
    progress: float
    steps: tuple[ExecutedStep, ...] = ()
    plans: tuple[PlanResult, ...] = ()
    failure_reason: str = ""
    avoid: tuple[Avoid, ...] = ()

    def __bool__(self) -> bool:
        return self.success

    @property
    def replans(self) -> int:
        return max(len(self.plans) - 1, 0)

    @property
    def primitives(self) -> int:
        return len(self.steps)

    @property
    def plan_seconds(self) -> float:
        """Mean wall clock per plan [s]."""
        return float(np.mean([plan.metrics.get("seconds", 0.0) for plan in self.plans])) if self.plans else 0.0
