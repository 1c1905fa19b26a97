"""One execution from its first plan to its end: follow, compare, remember failures, replan."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hiermap.agent.comparison import aim, believe_effect, came_back, change_seen, stands_elsewhere
from hiermap.agent.execution import ExecutedStep, Moment
from hiermap.agent.options import ExecutionOptions
from hiermap.agent.planner import Planner, Seen
from hiermap.agent.watch import check_scene
from hiermap.planners import Avoid, PlanResult, PlanStep
from hiermap.planners.failure_memory import discounted, learned, refused
from hiermap.planners.search_tree import NEARER, missing_primitives
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.base import Action, Node, Tracking
from hiermap.worlds.goals import Goal
from hiermap.worlds.perception.fusion import SpatialView

Ended = TypeVar("Ended")
Acting = Generator[tuple[Action, SpatialView], tuple[PrimitiveResult, Seen], Ended]
"""Yields actions with the views that they are chosen in, is sent reports with what is seen afterwards."""
BOLD = 0.25
"""Share of what risk costs otherwise, where no plan is found: what succeeds once in fifty tries is as dear as two sure steps, not eight."""


@dataclass
class Run:
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
        """All steps of a complete plan, or blindly of any; of a partial one those that lead anywhere."""
        steps = list(result.plan.steps)
        self.plans.append(result)
        if self.on_plan is not None:
            self.on_plan(result)
        self.starts.append(len(self.steps))
        self.queue = steps if result or self.options.blind else steps[: self._leading(steps)]

    def _leading(self, steps: Sequence[PlanStep]) -> int:
        """How many steps of a partial plan are followed: the first and those after it that each lead nearer, or up to where most holds."""
        falls = [missing_primitives(step.before) - missing_primitives(step.after) >= NEARER for step in steps[1:]]
        nodes = [step.before for step in steps[:1]] + [step.after for step in steps]
        met = [sum(chance >= self.options.holds for chance in node.predicates.values()) for node in nodes]
        return max(1 + [*falls, False].index(False), max(range(len(met)), key=met.__getitem__, default=0))

    def _replan(self) -> None:
        self._forgo(came_back(self.planner.world, self.steps, self.starts, self.now.node))
        usual = self._searched(self.planner)
        self._follow(usual or self._searched(self._bolder) or usual)

    def _searched(self, planner: Planner) -> PlanResult:
        first = self.plans[0]
        return planner.plan_from(self.now.node, self.goal, first.budget, first.seed + len(self.plans), self.avoid)

    def _act(self, planned: PlanStep) -> Acting[ExecutedStep]:
        before = self.now
        action, affordance = self._aim(planned)
        report, seen_now = yield action, before.view
        view = self.planner.see(seen_now)
        check_scene(view, self._first)
        after = self._believe(view, before.node)
        seen = change_seen(planned, before.maps, after.maps)
        effect = self._had_effect(action, report, before.view, view, seen)
        # What is believed hidden comes from the imagined node once the step is believed to have worked.
        self.now = self._believe(view, self._as_done(planned, before.node, action)) if effect else after
        self._learn(action, effect, report)
        as_imagined = effect and self._agree(planned.after.predicates, self.now.node.predicates)
        if self._may_reach_beside(planned, report):
            self.queue.insert(0, planned)
        elif not (as_imagined or self.options.blind):
            self.queue.clear()
        step = ExecutedStep(len(self.plans) - 1, planned, action, affordance, report, before, self.now, seen, effect)
        self.steps.append(step)
        return step

    def _had_effect(self, action: Action, report: PrimitiveResult, before: SpatialView, now: SpatialView, seen: float) -> bool:
        """Whatever the maps show: what was taken in hand was, and what left it did if it is not seen elsewhere."""
        if before.holding == now.holding:
            return believe_effect(report, seen, self.options)
        return now.holding or (report.succeeded and not stands_elsewhere(before, now, action.cell))

    def _may_reach_beside(self, planned: PlanStep, report: PrimitiveResult) -> bool:
        """Whether a step is to be aimed once more, at what is beside a cell that the arm cannot reach: nothing has moved."""
        tries = sum(step.planned is planned for step in self.steps)
        return report.reason is Reason.UNREACHABLE and tries < self.options.refusals and not self.options.blind

    def _as_done(self, planned: PlanStep, before: Node, action: Action) -> Node:
        world = self.planner.world
        return world.tracked(planned.after, before, action) if isinstance(world, Tracking) else planned.after

    def _forgo(self, steps: Sequence[ExecutedStep]) -> None:
        """What only led in a circle is as good as failed."""
        for step in steps:
            self.avoid = learned(self.avoid, step.action, self.planner.options.memory)

    @property
    def _bolder(self) -> Planner:
        """Tries what is hardly offered: without a plan nothing else would be done but what leads nowhere."""
        planner, options = self.planner, self.planner.options
        peaks = replace(options.peaks, threshold=min(self.options.hardly, options.peaks.threshold))
        bold = replace(options, peaks=peaks, risk_seconds=BOLD * options.risk_seconds)
        return Planner(planner.world, planner.search, bold, planner.heuristic, planner.propose)

    @property
    def _first(self) -> SpatialView:
        return self.result.first or self.result.view or self.now.view

    def _believe(self, view: SpatialView, remembered: Node) -> Moment:
        return moment(self.planner, view, self.planner.world.root(view, self.goal, self._first, remembered))

    def _learn(self, action: Action, effect: bool, report: PrimitiveResult) -> None:
        """Remember a failure; once something changed, earlier failures speak less."""
        memory = self.planner.options.memory
        if effect:
            self.avoid = tuple(item.weakened(memory.weakened) for item in self.avoid)
        elif report.reason is Reason.UNREACHABLE:
            self.avoid = refused(self.avoid, action, memory)
        else:
            self.avoid = learned(self.avoid, action, memory)

    def _agree(self, imagined: Mapping[str, float], real: Mapping[str, float]) -> bool:
        holds = self.options.holds
        return all((imagined[name] >= holds) == (real[name] >= holds) for name in imagined.keys() & real.keys())


def moment(planner: Planner, view: SpatialView, node: Node) -> Moment:
    """A view with the maps of the node that it stands for."""
    return Moment(view, node, planner.world.maps([node])[0])
