"""Goals in a row in one scene: first view, what was done, and what failed outlive each of them."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from hiermap.agent.execute import Stepping, drained, stepwise
from hiermap.agent.execution import ExecutedStep, ExecutionResult
from hiermap.agent.options import ExecutionOptions
from hiermap.agent.planner import Deed, Planner, Seen
from hiermap.agent.watch import Watch
from hiermap.planners import Avoid, Budget, PlanResult, Status
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.goals import Goal
from hiermap.worlds.scene import RealWorld


class Session:
    """One robot in one scene, asked for one goal after the other.

    Things are told by their masks in the session's first view, whatever has become of them since; a later goal knows what was done for
    earlier ones. Nobody else may move anything between two goals.

        with Session(scene, planner) as session:
            session.achieve(goal)
            session.achieve(another)

    Args:
        world: the real one.
        planner: plans and replans.
        options: thresholds of execution.
        first: the first view, if a look was taken already.
    """

    def __init__(self, world: RealWorld, planner: Planner, options: ExecutionOptions | None = None, first: Seen | None = None) -> None:
        self.world, self.planner, self.options, self.first = Watch(world), planner, options, first
        self.deeds: list[Deed] = []
        self.avoid: Sequence[Avoid] = ()
        self._acted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Forget."""
        self.deeds, self.avoid, self.first, self._acted = [], (), None, False

    def plan(self, goal: Goal, budget: Budget | None = None, seed: int = 0) -> PlanResult:
        """As `Planner.plan`, from what is seen now."""
        try:
            first = self.world.observe() if self.first is None else self.first
            seen = self.world.observe() if self._acted else first
        except InvalidObservationError as error:
            return PlanResult(Status.INVALID_OBSERVATION, message=str(error), goal=goal, budget=budget or Budget(), seed=seed)
        result = self.planner.plan(seen, goal, budget, seed, self.avoid, first, self.deeds)
        self.first = result.first or self.first  # fused once, and never one that cannot be used
        return result

    def carry_out(
        self,
        result: PlanResult,
        max_replans: int = 8,
        max_primitives: int = 30,
        on_step: Callable[[ExecutedStep], None] | None = None,
    ) -> ExecutionResult:
        """As `execute`, of what `plan` answered."""
        return drained(self.steps(result, max_replans, max_primitives), on_step)

    def steps(
        self,
        result: PlanResult,
        max_replans: int = 8,
        max_primitives: int = 30,
        on_plan: Callable[[PlanResult], None] | None = None,
    ) -> Stepping:
        """As `carry_out`, a primitive at a time (see `hiermap.agent.execute.stepwise`); it may be left after any for another goal."""
        self._acted = True
        run = stepwise(self.world, result, self.planner, max_replans, max_primitives, self.options, self.avoid, on_plan)
        try:
            while True:
                step = next(run)
                self.deeds.append(Deed(step.action, step.effect, step.after.view))
                yield step
        except StopIteration as over:
            self.avoid = over.value.avoid
            return over.value

    def achieve(
        self, goal: Goal, budget: Budget | None = None, max_replans: int = 8, max_primitives: int = 30, seed: int = 0
    ) -> ExecutionResult:
        """Plan and carry out."""
        return self.carry_out(self.plan(goal, budget, seed), max_replans, max_primitives)
