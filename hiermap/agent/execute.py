"""Act, look again, compare with what was imagined, remember failures, replan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from hiermap.agent.planner import Planner
from hiermap.planners import Avoid, Plan, PlanResult, PlanStep
from hiermap.planners.candidates import EFFECTS
from hiermap.planners.failure_memory import discounted
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.base import FIRST_VIEW, IMAGINED, Action, Node, Observation
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.goals import Goal

AIM_CELLS, AIM_STEPS = 2, 2
"""A step imagined several actions ahead is re-aimed by at most this many climbs, of this many cells each."""
GOOD_AFFORDANCE = 0.8
"""It is not re-aimed while the real map holds this share of the success it was planned with."""
KEPT_AFFORDANCE = 0.5
"""A step is still worth doing while the real map near it holds at least this share of the success it was planned with."""
SEEN_IF_REPORTED, SEEN_IF_NOT = 0.25, 0.6
"""Share of the imagined change that must be seen to believe an effect, when the motor program reports success and when it does not."""
HOLDS = 0.5
"""A predicate believed at least this much counts as true when the real view is compared with the imagined one."""


class RealWorld(Protocol):
    """Where actions happen: the simulator, or a robot."""

    def observe(self) -> Observation:
        """What is seen now."""
        ...

    def act(self, action: Action) -> PrimitiveResult:
        """Apply a primitive at a cell of the latest view."""
        ...


@dataclass(frozen=True, eq=False)
class ExecutedStep:
    """One primitive that was run.

    Attributes:
        plan: 0 for the first plan, n for the n-th replan.
        planned: the step as it was imagined.
        action: what was done, re-aimed in the real view.
        affordance: value of the real map at its cell, in [0, 1].
        report: what the motor program said.
        before, after: observations around it; nodes hold the maps decoded from them.
        predicates_before, predicates_after: believed from the real views.
        change_seen: share of the imagined change of the maps that the real view shows; 1 as imagined, 0 nothing happened.
        effect: whether the step is believed to have had its effect.
    """

    plan: int
    planned: PlanStep
    action: Action
    affordance: float
    report: PrimitiveResult
    before: Observation
    after: Observation
    node_before: Node
    node_after: Node
    predicates_before: Mapping[str, float]
    predicates_after: Mapping[str, float]
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
    """

    success: bool
    progress: float
    steps: tuple[ExecutedStep, ...] = ()
    plans: tuple[PlanResult, ...] = ()
    failure_reason: str = ""

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


def execute(
    world: RealWorld,
    result: PlanResult,
    replan: Planner,
    max_replans: int = 8,
    max_primitives: int = 30,
    on_step: Callable[[ExecutedStep], None] | None = None,
) -> ExecutionResult:
    """Carry out `result` in `world`, replanning with `replan` whenever the world does not do what was imagined.

    Without a complete plan the most promising first step is tried and the search begins again from what is seen then.

    Args:
        world: the real one.
        result: a plan of `replan.plan`, which also names goal, first view, budget and seed.
        max_replans: plans after the first.
        max_primitives: primitives run at most.
        on_step: called after every primitive.

    Raises:
        ValueError: `result` does not name its problem.
    """
    if result.goal is None or result.observation is None:
        raise ValueError("the plan result names no goal or observation; make it with Planner.plan")
    run = _Run(world, replan, result.observation, result.goal, result)
    try:
        reason = run.loop(max_replans, max_primitives, on_step)
    except PhysicsError as error:
        reason = f"physics: {error}"
    except InvalidObservationError as error:
        reason = f"invalid_observation: {error}"
    progress = float(run.node.progress) if run.node is not None else 0.0
    return ExecutionResult(not reason and progress >= 1.0, progress, tuple(run.steps), tuple(run.plans), reason)


def change_seen(planned: PlanStep, before: Node, now: Node) -> float:
    """Share of the imagined change of the maps that is seen: the real change projected onto the imagined one; NaN if none was imagined."""
    wanted, got = planned.after.maps - planned.before.maps, now.maps - before.maps
    size = float((wanted * wanted).sum())
    return float((wanted * got).sum()) / size if size > 1e-9 else float("nan")


def believe_effect(report: PrimitiveResult, seen: float) -> bool:
    """Whether a step had its effect, from the motor program's report and the share of the imagined change that is seen."""
    if np.isnan(seen):
        return report.succeeded
    return seen >= (SEEN_IF_REPORTED if report.succeeded else SEEN_IF_NOT)


def aim(planned: PlanStep, maps: np.ndarray) -> tuple[Action, float]:
    """Where to apply a planned step in the real `maps` `[P, R, H, W]`, and their value there.

    The imagined cell is kept while the real map is nearly as good there; otherwise climb its slope, a few cells at most, so as to stay
    on the same thing, with the best orientation of the same effect.
    """
    action = planned.action
    effect = next(e for e in EFFECTS if e.primitive == action.primitive and action.rotation_index in e.rotations)
    bins = maps[effect.channel, list(effect.rotations)]
    (row, column), bin_ = action.cell, effect.rotations.index(action.rotation_index)
    if bins[bin_, row, column] >= GOOD_AFFORDANCE * planned.success:
        return action, float(bins[bin_, row, column])
    for _ in range(AIM_STEPS):
        top, left = max(row - AIM_CELLS, 0), max(column - AIM_CELLS, 0)
        window = bins[:, top : row + AIM_CELLS + 1, left : column + AIM_CELLS + 1]
        if window.max() <= bins[bin_, row, column]:
            break
        index, down, right = np.unravel_index(int(window.argmax()), window.shape)
        bin_, row, column = int(index), top + int(down), left + int(right)
    return Action(action.primitive, (row, column), effect.rotations[bin_]), float(bins[bin_, row, column])


@dataclass
class _Run:
    """What an execution remembers: the first view, the node believed now, failures, the steps still to do."""

    world: RealWorld
    planner: Planner
    first: Observation
    goal: Goal
    result: PlanResult
    node: Node | None = None
    observation: Observation | None = None
    avoid: tuple[Avoid, ...] = ()
    queue: list[PlanStep] = field(default_factory=list)
    steps: list[ExecutedStep] = field(default_factory=list)
    plans: list[PlanResult] = field(default_factory=list)

    def loop(self, max_replans: int, max_primitives: int, on_step: Callable[[ExecutedStep], None] | None) -> str:
        """Run until the goal is believed to hold ("") or there is a reason to stop."""
        self.plans.append(self.result)
        self.queue = _todo(self.result)
        self.node, self.observation = self._look(None)
        while self.node.progress < 1.0:
            if len(self.steps) >= max_primitives:
                return "too_many_primitives"
            aimed = self._next()
            if aimed is None:
                if len(self.plans) > max_replans:
                    return "too_many_replans"
                self._replan()
                if not self.queue:
                    return str(self.plans[-1].status)
                aimed = self._next(demanding=False)
                assert aimed is not None  # a demand-free aim at a non-empty queue
            step = self._act(*aimed)
            if on_step is not None:
                on_step(step)
        return ""

    def _look(self, imagined: Node | None) -> tuple[Node, Observation]:
        seen = self.world.observe()
        return self._interpret(seen, imagined)

    def _interpret(self, seen: Observation, imagined: Node | None) -> tuple[Node, Observation]:
        extras = {**seen.extras, FIRST_VIEW: _bare(self.first)}
        if imagined is not None:
            extras[IMAGINED] = imagined
        observation = replace(seen, extras=extras)
        return self.planner.look(observation, self.goal), observation

    def _next(self, demanding: bool = True) -> tuple[PlanStep, Action, float] | None:
        """The next planned step aimed in the real maps; None when there is none or the real maps no longer support it."""
        if not self.queue:
            return None
        step = self.queue[0]
        assert self.node is not None
        action, affordance = aim(step, discounted(self.node.maps, self.avoid))
        if demanding and affordance < KEPT_AFFORDANCE * step.success:
            return None
        return self.queue.pop(0), action, affordance

    def _replan(self) -> None:
        assert self.observation is not None
        first = self.plans[0]
        result = self.planner.plan(self.observation, self.goal, first.budget, first.seed + len(self.plans), self.avoid)
        self.plans.append(result)
        self.queue = _todo(result)

    def _act(self, planned: PlanStep, action: Action, affordance: float) -> ExecutedStep:
        before, node_before = self.observation, self.node
        assert before is not None and node_before is not None
        try:
            report = self.world.act(action)
        except InvalidObservationError:  # the cell shows nothing to act on
            report = PrimitiveResult(False, Reason.UNGROUNDED, 0.0, 0.0)
        now, observation = self._look(node_before)
        seen = change_seen(planned, node_before, now)
        effect = believe_effect(report, seen)
        if effect:
            # What is believed hidden comes from the imagined node from here on.
            now, observation = self._interpret(observation, planned.after)
        self.node, self.observation = now, observation
        self._learn(action, effect)
        predicates = self.planner.predicates(now, self.goal)
        if not effect or not _agree(planned.predicates, predicates):
            self.queue.clear()
        step = ExecutedStep(
            plan=len(self.plans) - 1,
            planned=planned,
            action=action,
            affordance=affordance,
            report=report,
            before=before,
            after=observation,
            node_before=node_before,
            node_after=now,
            predicates_before=self.planner.predicates(node_before, self.goal),
            predicates_after=predicates,
            change_seen=seen,
            effect=effect,
        )
        self.steps.append(step)
        return step

    def _learn(self, action: Action, effect: bool) -> None:
        """Remember a failure; once something changed, earlier failures speak less."""
        if effect:
            self.avoid = tuple(item.weakened() for item in self.avoid)
        else:
            self.avoid = (*self.avoid, Avoid(action.primitive, action.cell, action.rotation_index))


def _todo(result: PlanResult) -> list[PlanStep]:
    """All steps of a complete plan, the first one of a partial plan."""
    plan: Plan = result.plan
    return list(plan.steps) if result else list(plan.steps[:1])


def _bare(first: Observation) -> Observation:
    """The first view without references to itself."""
    return first.extras.get(FIRST_VIEW, first)


def _agree(imagined: Mapping[str, float], real: Mapping[str, float]) -> bool:
    return all((imagined[name] >= HOLDS) == (real[name] >= HOLDS) for name in imagined.keys() & real.keys())
