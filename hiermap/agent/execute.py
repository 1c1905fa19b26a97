"""Act, look again, compare with what was imagined, remember failures, replan."""

from collections.abc import Callable, Generator, Sequence

from hiermap.agent.execution import ExecutedStep, ExecutionResult
from hiermap.agent.options import ExecutionOptions
from hiermap.agent.planner import Planner, Seen
from hiermap.agent.run import Acting, Run, moment
from hiermap.agent.watch import Watch
from hiermap.planners import Avoid, PlanResult, Status
from hiermap.primitives.specs import PrimitiveResult, Reason
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError, PhysicsError
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.scene import RealWorld

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

    A partial plan is followed as long as every step leads nearer, or up to where most of the goal is believed to hold; then the search
    begins again from what is seen. The view that was planned from counts as seen now; a look is taken after every primitive.

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
    now = moment(replan, result.view, result.root)
    run = Run(replan, result, result.goal, options or ExecutionOptions(), now, tuple(avoid), on_plan)
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
