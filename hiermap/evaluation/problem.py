"""One task in its scene: pose it, plan it, carry it out, judge it by the true state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hiermap.agent.execution import ExecutionResult
from hiermap.agent.learned_maps import LazyWeights
from hiermap.agent.planner import Planner
from hiermap.agent.session import Session
from hiermap.evaluation.goal_masks import as_told
from hiermap.evaluation.suites import RunOptions
from hiermap.planners import PlanResult, Status
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Goal, Target
from hiermap.worlds.perception.fusion import SpatialView, see
from hiermap.worlds.scene import PosedTask, RealWorld
from hiermap.worlds.tasks.kitchens import KITCHENS

BELIEVED = "believed_but_false"
"""The planner stopped because it believed the goal to hold, and it does not."""
PHYSICS = "physics_diverged"


@dataclass(frozen=True, eq=False)
class Problem:
    """A task set up in its scene.

    Attributes:
        task: with the scene, whose truth only the judge asks.
        real: where actions happen and looks come from.
        view, goal: all that a planner is told, of the first view.
        masks: of everything in the first view, exact, of which goals are told.
    """

    task: PosedTask
    real: RealWorld
    view: SpatialView
    goal: Goal
    masks: Mapping[str, np.ndarray]

    def truth(self) -> dict[str, bool]:
        """Goal predicate -> whether it truly holds now."""
        return self.task.scene.truth(self.goal.predicates)


@dataclass(frozen=True, eq=False)
class Attempt:
    """A plan and, if it was carried out, what came of it.

    Attributes:
        truths: what truly held of the goal at first and after every primitive.
        success: whether the goal truly holds at the end; None when nothing was executed.
        failure_reason: "" on success or when nothing was to be executed.
    """

    problem: Problem
    result: PlanResult
    execution: ExecutionResult | None = None
    truths: Sequence[Mapping[str, bool]] = field(default_factory=tuple)
    success: bool | None = None
    failure_reason: str = ""


def posed(suite: str, seed: int, options: RunOptions) -> PosedTask:
    """The task of a seed under these options."""
    return KITCHENS[options.kitchen.name](suite, seed, options.sensing, options.kitchen, options.goal.ask)


def pose(suite: str, seed: int, options: RunOptions | None = None) -> Problem:
    """The task of a seed, set up for a planner under these options."""
    options = options or RunOptions()
    task = posed(suite, seed, options)
    real: RealWorld = task.scene
    if options.world == "simulator":
        if task.oracle is None:
            raise ConfigError(f"kitchen={options.kitchen.name} has no world=simulator; take world=latent")
        real = task.oracle.scene
    view, masks = see(real.observe(), task.scene.frame), task.scene.masks()
    return Problem(task, real, view, goal_of(task, view, masks, options), masks)


def goal_of(task: PosedTask, view: SpatialView, masks: Mapping[str, np.ndarray], options: RunOptions) -> Goal:
    """What a task asks for, of things told by their `masks` `[H, W]` bool in the first `view`."""
    named = {name: masks[name] for predicate in task.predicates for name in predicate.arguments}
    told = as_told(named, view, options.goal.masks, task.seed)
    return Goal(tuple(task.predicates), {name: Target(name, mask) for name, mask in told.items()})


def attempts(problem: Problem, planner: Planner, options: RunOptions, goals: int = 1) -> list[Attempt]:
    """Carry out as many goals in a row as can be posed, each where the last one has left the scene, until one is not reached."""
    with Session(problem.real, planner, options.execution, problem.view) as session:
        done = [attempt(problem, planner, options, session=session)]
        while done[-1].success and len(done) < goals and (task := problem.task.next(len(done))) is not None:
            further = replace(problem, task=task, goal=goal_of(task, problem.view, problem.masks, options))
            done.append(attempt(further, planner, options, session=session))
    return done


def attempt(
    problem: Problem,
    planner: Planner,
    options: RunOptions,
    act: bool = True,
    session: Session | None = None,
    on_plan: Callable[[PlanResult], None] | None = None,
) -> Attempt:
    """Plan, tell `on_plan` and, with `act`, execute with replanning; success is judged from the true state at the end."""
    session = session or Session(problem.real, planner, options.execution, problem.view)
    result = session.plan(problem.goal, options.budget, problem.task.seed)
    if on_plan is not None:
        on_plan(result)
    if not act or result.status is Status.INVALID_GOAL:  # nobody can judge what makes no sense
        return Attempt(problem, result, failure_reason=result.status if act else "")
    truths = [problem.truth()]
    execution = session.carry_out(result, options.max_replans, on_step=lambda _: truths.append(problem.truth()))
    diverged = execution.failure_reason.startswith("physics")
    success = not diverged and all(problem.truth().values())
    reason = "" if success else PHYSICS if diverged else execution.failure_reason.partition(":")[0] or BELIEVED
    return Attempt(problem, result, execution, tuple(truths), success, reason)


def planner_for(options: RunOptions, problem: Problem, learned: LazyWeights) -> Planner:
    """The planner the options ask for; in the simulator's own dynamics it imagines in a second scene, never in the real one."""
    if options.world == "simulator" and problem.task.oracle is not None:
        maps = "oracle" if options.maps == "oracle" else learned.maps_of
        return Planner(problem.task.oracle.world(maps), options.planner, options.searching)
    from hiermap.worlds.imagined.latent import LatentWorld

    world = LatentWorld(learned.weights.model, problem.task.scene.frame, options.beliefs)
    return Planner(world, options.planner, options.searching)
