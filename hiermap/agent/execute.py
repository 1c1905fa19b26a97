"""Act, look again, compare with what was imagined, remember failures, replan."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from hiermap.agent.options import ExecutionOptions
from hiermap.agent.planner import Planner, Seen
from hiermap.agent.watch import Watch, check_scene
from hiermap.planners import Avoid, PlanResult, PlanStep, Status
from hiermap.planners.candidates import EFFECTS
from hiermap.planners.failure_memory import discounted, learned
from hiermap.planners.search_tree import NEARER, missing_primitives
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.base import Action, Foresight, Node, World
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.goals import Goal
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.scene import RealWorld

Ended = TypeVar("Ended")
Acting = Generator[tuple[Action, SpatialView], tuple[PrimitiveResult, Seen], Ended]
"""Yields actions with the views that they are chosen in, is sent reports with what is seen afterwards."""


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


Stepping = Generator[ExecutedStep, None, ExecutionResult]
"""Yields every primitive that was run, and returns how it went."""


def execute(
    world: RealWorld,
    result: PlanResult,
    replan: Planner,
    max_replans: int = 8,
    max_primitives: int = 30,
    options: ExecutionOptions | None = None,
    on_step: Callable[[ExecutedStep], None] | None = None,
    avoid: Sequence[Avoid] = (),
) -> ExecutionResult:
    """Carry out `result` in `world`, replanning with `replan` whenever the world does not do what was imagined.

    A partial plan is followed as long as every step leads nearer; then the search begins again from what is seen. The view that was
    planned from counts as seen now; a look is taken after every primitive.

    Args:
        world: the real one.
        result: a plan of `replan.plan`, which also names view, goal, budget and seed.
        max_replans: plans after the first.
        max_primitives: primitives run at most.
        options: thresholds.
        on_step: called after every primitive.
        avoid: failures that are remembered already.

    Raises:
        ValueError: `result` does not name its problem.
    """
    return drained(stepwise(world, result, replan, max_replans, max_primitives, options, avoid), on_step)


def drained(run: Stepping, on_step: Callable[[ExecutedStep], None] | None = None) -> ExecutionResult:
    """How a run of `stepwise` went at its end."""
    try:
        while True:
            step = next(run)
            if on_step is not None:
                on_step(step)
    except StopIteration as over:
        return over.value


def stepwise(
    world: RealWorld,
    result: PlanResult,
    replan: Planner,
    max_replans: int = 8,
    max_primitives: int = 30,
    options: ExecutionOptions | None = None,
    avoid: Sequence[Avoid] = (),
    on_plan: Callable[[PlanResult], None] | None = None,
) -> Stepping:
    """As `execute`, for whoever looks on: yields after every primitive, when what comes next is planned already, and returns how it went.

    Args:
        on_plan: called with every plan that is followed, the first and every replan.
    """
    fresh: list[ExecutedStep] = []
    acting = actions(result, replan, max_replans, max_primitives, options, fresh.append, avoid, on_plan)
    watched = world if isinstance(world, Watch) else Watch(world)
    try:
        action, view = next(acting)
        while True:
            try:
                seen = _done(watched, action, view)
            except (PhysicsError, InvalidObservationError) as error:
                action, view = acting.throw(error)
            else:
                action, view = acting.send(seen)
            yield fresh.pop()
    except StopIteration as over:
        yield from fresh
        return over.value


def actions(
    result: PlanResult,
    replan: Planner,
    max_replans: int = 8,
    max_primitives: int = 30,
    options: ExecutionOptions | None = None,
    on_step: Callable[[ExecutedStep], None] | None = None,
    avoid: Sequence[Avoid] = (),
    on_plan: Callable[[PlanResult], None] | None = None,
) -> Acting[ExecutionResult]:
    """As `execute`, for whoever acts himself: yields an action and the view that it is chosen in, is sent what the motor program reports
    and what is seen afterwards, or thrown the `PhysicsError` or `InvalidObservationError` that came instead, and returns how it went.
    """
    if result.status in (Status.INVALID_OBSERVATION, Status.INVALID_GOAL):
        return ExecutionResult(False, 0.0, (), (result,), f"{result.status}: {result.message}", tuple(avoid))
    if result.goal is None or result.view is None or result.root is None:
        raise ValueError("the plan result names no goal or view; make it with Planner.plan")
    now = _moment(replan, result.view, result.root)
    run = _Run(replan, result, result.goal, options or ExecutionOptions(), now, tuple(avoid), on_plan)
    try:
        reason = yield from run.loop(max_replans, max_primitives, on_step)
    except PhysicsError as error:
        reason = f"physics: {error}"
    except InvalidObservationError as error:
        reason = f"invalid_observation: {error}"
    progress = float(run.now.node.progress)
    return ExecutionResult(not reason and progress >= 1.0, progress, tuple(run.steps), tuple(run.plans), reason, run.avoid)


def _done(world: RealWorld, action: Action, view: SpatialView) -> tuple[PrimitiveResult, Seen]:
    """What the motor program reports, and what is seen afterwards."""
    try:
        report = world.act(action, view)
    except InvalidObservationError:  # the cell shows nothing to act on
        report = PrimitiveResult(False, Reason.UNGROUNDED, 0.0, 0.0)
    return report, world.observe()


def change_seen(planned: PlanStep, before: np.ndarray, now: np.ndarray) -> float:
    """Share of the imagined change of the maps that two real maps show: their change projected onto it; NaN if none was imagined."""
    wanted, got = planned.maps - planned.maps_before, now - before
    size = float((wanted * wanted).sum())
    return float((wanted * got).sum()) / size if size > 1e-9 else float("nan")


def believe_effect(report: PrimitiveResult, seen: float, options: ExecutionOptions) -> bool:
    """Whether a step had its effect, from the motor program's report and the share of the imagined change that is seen."""
    if np.isnan(seen):
        return report.succeeded
    return seen >= (options.seen_if_reported if report.succeeded else options.seen_if_not)


def aim(planned: PlanStep, maps: np.ndarray, options: ExecutionOptions) -> tuple[Action, float]:
    """Where to apply a planned step in the real `maps` `[P, R, H, W]`, and their value there.

    The imagined cell is kept blindly, or while the real map is nearly as good there; otherwise climb its slope, a few cells at most, so as
    to stay on the same thing, with the best orientation of the same effect.
    """
    action, reach = planned.action, options.aim_cells
    effect = next(e for e in EFFECTS if e.primitive == action.primitive and action.rotation_index in e.rotations)
    bins = maps[effect.channel, list(effect.rotations)]
    (row, column), bin_ = action.cell, effect.rotations.index(action.rotation_index)
    if options.blind or bins[bin_, row, column] >= options.good_affordance * planned.success:
        return action, float(bins[bin_, row, column])
    for _ in range(options.aim_steps):
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = bins[:, top : row + reach + 1, left : column + reach + 1]
        if window.max() <= bins[bin_, row, column]:
            break
        index, down, right = np.unravel_index(int(window.argmax()), window.shape)
        bin_, row, column = int(index), top + int(down), left + int(right)
    return Action(action.primitive, (row, column), effect.rotations[bin_]), float(bins[bin_, row, column])


def came_back(world: World, steps: Sequence[ExecutedStep], starts: Sequence[int], now: Node) -> Sequence[ExecutedStep]:
    """The steps that led from where one of the plans set out (`starts`: how many steps were done by then) back to the same place.

    Two moments are the same where, seen from every moment between, they differ from it in the same way. Only the shortest circle counts.
    """
    for start in reversed(starts):
        circle = steps[start:]
        between = [step.after.node for step in circle[:-1]]
        if between and isinstance(world, Foresight) and all(world.twins(node, [circle[0].before.node, now])[1] == 0 for node in between):
            return circle
    return ()


@dataclass
class _Run:
    """What an execution remembers: the problem, what is seen and believed now, failures, the steps still to do."""

    planner: Planner
    result: PlanResult
    goal: Goal
    options: ExecutionOptions
    now: Moment
    avoid: tuple[Avoid, ...] = ()
    on_plan: Callable[[PlanResult], None] | None = None
    queue: list[PlanStep] = field(default_factory=list)
    steps: list[ExecutedStep] = field(default_factory=list)
    plans: list[PlanResult] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def loop(self, max_replans: int, max_primitives: int, on_step: Callable[[ExecutedStep], None] | None) -> Acting[str]:
        """Run until the goal is believed to hold ("") or there is a reason to stop."""
        self._follow(self.result)
        while self.now.node.progress < 1.0 or (self.options.blind and self.queue):
            if len(self.steps) >= max_primitives:
                return "too_many_primitives"
            if not self._is_worth_doing():
                if len(self.plans) > max_replans:
                    return "too_many_replans"
                self._replan()
                if not self.queue:
                    return str(self.plans[-1].status)
            step = yield from self._act(self.queue.pop(0))
            if on_step is not None:
                on_step(step)
        return ""

    def _is_worth_doing(self) -> bool:
        """Whether there is a next step that the real maps still support, if they are asked."""
        if self.options.blind:
            return bool(self.queue)
        return bool(self.queue) and self._aim(self.queue[0])[1] >= self.options.kept_affordance * self.queue[0].success

    def _aim(self, step: PlanStep) -> tuple[Action, float]:
        return aim(step, discounted(self.now.maps, self.avoid), self.options)

    def _follow(self, result: PlanResult) -> None:
        """All steps of a complete plan, or blindly of any; of a partial one the first, and those after it that each lead nearer."""
        steps = list(result.plan.steps)
        self.plans.append(result)
        if self.on_plan is not None:
            self.on_plan(result)
        self.starts.append(len(self.steps))
        falls = [missing_primitives(step.before) - missing_primitives(step.after) >= NEARER for step in steps[1:]]
        self.queue = steps if result or self.options.blind else steps[: 1 + ([*falls, False]).index(False)]

    def _replan(self) -> None:
        first = self.plans[0]
        self._forgo(came_back(self.planner.world, self.steps, self.starts, self.now.node))
        self._follow(self.planner.plan_from(self.now.node, self.goal, first.budget, first.seed + len(self.plans), self.avoid))

    def _act(self, planned: PlanStep) -> Acting[ExecutedStep]:
        before = self.now
        action, affordance = self._aim(planned)
        report, seen_now = yield action, before.view
        view = self.planner.see(seen_now)
        check_scene(view, self._first)
        after = self._believe(view, before.node)
        seen = change_seen(planned, before.maps, after.maps)
        # Whatever the maps show: something was taken in hand, or left it.
        effect = before.view.holding != view.holding or believe_effect(report, seen, self.options)
        # What is believed hidden comes from the imagined node once the step is believed to have worked.
        self.now = self._believe(view, planned.after) if effect else after
        self._learn(action, effect)
        as_imagined = effect and self._agree(planned.after.predicates, self.now.node.predicates)
        if not (as_imagined or self.options.blind):
            self.queue.clear()
        step = ExecutedStep(len(self.plans) - 1, planned, action, affordance, report, before, self.now, seen, effect)
        self.steps.append(step)
        return step

    def _forgo(self, steps: Sequence[ExecutedStep]) -> None:
        """What only led in a circle is as good as failed."""
        for step in steps:
            self.avoid = learned(self.avoid, step.action, self.planner.options.memory)

    @property
    def _first(self) -> SpatialView:
        return self.result.first or self.result.view or self.now.view

    def _believe(self, view: SpatialView, remembered: Node) -> Moment:
        return _moment(self.planner, view, self.planner.world.root(view, self.goal, self._first, remembered))

    def _learn(self, action: Action, effect: bool) -> None:
        """Remember a failure; once something changed, earlier failures speak less."""
        memory = self.planner.options.memory
        if effect:
            self.avoid = tuple(item.weakened(memory.weakened) for item in self.avoid)
        else:
            self.avoid = learned(self.avoid, action, memory)

    def _agree(self, imagined: Mapping[str, float], real: Mapping[str, float]) -> bool:
        holds = self.options.holds
        return all((imagined[name] >= holds) == (real[name] >= holds) for name in imagined.keys() & real.keys())


def _moment(planner: Planner, view: SpatialView, node: Node) -> Moment:
    return Moment(view, node, planner.world.maps([node])[0])
