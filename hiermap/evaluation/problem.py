"""One task in the kitchen: pose it, plan it, carry it out, judge it by the true state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hiermap.agent.execute import ExecutionResult, RealWorld, execute
from hiermap.agent.learned_maps import Learned
from hiermap.agent.planner import Planner
from hiermap.evaluation.goal_masks import as_told
from hiermap.evaluation.suites import RunOptions
from hiermap.planners import PlanResult, SearchOptions
from hiermap.primitives.specs import PrimitiveResult
from hiermap.worlds.base import Action, Observation
from hiermap.worlds.goals import Goal, Predicate, Target
from hiermap.worlds.imagined import simulated
from hiermap.worlds.perception.fusion import fuse
from hiermap.worlds.rules import judge
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.tasks.chains import Task, sample_task

BELIEVED = "believed_but_false"
"""The planner stopped because it believed the goal to hold, and it does not."""
PHYSICS = "physics_diverged"


@dataclass(frozen=True)
class OpenKitchen:
    """A kitchen whose looks carry its true state, which `SimulatedWorld`, the oracle, is allowed to know."""

    kitchen: Kitchen

    def observe(self) -> Observation:
        """What is seen, with the true state in its extras."""
        return simulated.observe(self.kitchen)

    def act(self, action: Action) -> PrimitiveResult:
        """As `Kitchen.act`."""
        return self.kitchen.act(action)


@dataclass(frozen=True, eq=False)
class Problem:
    """A task set up in its kitchen.

    Attributes:
        kitchen: the truth, for the judge.
        real: where actions happen and looks come from.
        observation, goal: all that a planner is told.
    """

    task: Task
    kitchen: Kitchen
    real: RealWorld
    observation: Observation
    goal: Goal


@dataclass(frozen=True, eq=False)
class Attempt:
    """A plan and, if it was carried out, what came of it.

    Attributes:
        truths: what truly held of the goal at first and after every primitive.
        success: whether the goal truly holds at the end; None when nothing was executed.
        failure_reason: "" on success or when nothing was executed.
    """

    problem: Problem
    result: PlanResult
    execution: ExecutionResult | None = None
    truths: Sequence[Mapping[str, bool]] = field(default_factory=tuple)
    success: bool | None = None
    failure_reason: str = ""


def pose(suite: str, seed: int, options: RunOptions | None = None) -> Problem:
    """The task of a seed, set up for a planner under these options."""
    task = sample_task(suite, seed)
    options = options or RunOptions()
    kitchen = Kitchen(task.spec, options.sensing)
    kitchen.set_scene(task.scene)
    real = OpenKitchen(kitchen) if options.world == "simulator" else kitchen
    observation, exact = real.observe(), goal_of(task.goal_predicates, kitchen.masks())
    told = as_told({name: target.mask for name, target in exact.targets.items()}, fuse(observation), options.goal.masks, seed)
    return Problem(task, kitchen, real, observation, goal_of(task.goal_predicates, told))


def goal_of(predicates: Sequence[Predicate], masks: Mapping[str, np.ndarray]) -> Goal:
    """The goal with the masks of the things it names."""
    names = dict.fromkeys(name for predicate in predicates for name in predicate.arguments)
    return Goal(tuple(predicates), {name: Target(name, np.asarray(masks[name], bool)) for name in names})


def attempt(problem: Problem, planner: Planner, options: RunOptions, act: bool = True) -> Attempt:
    """Plan and, with `act`, execute with replanning; success is judged from the true state at the end."""
    seed = problem.task.seed
    result = planner.plan(problem.observation, problem.goal, options.budget, seed)
    if not act:
        return Attempt(problem, result)
    truths = [truth(problem)]
    execution = execute(problem.real, result, planner, options.max_replans, on_step=lambda _: truths.append(truth(problem)))
    diverged = execution.failure_reason.startswith("physics")
    success = not diverged and all(truth(problem).values())
    reason = "" if success else PHYSICS if diverged else execution.failure_reason.partition(":")[0] or BELIEVED
    return Attempt(problem, result, execution, tuple(truths), success, reason)


def truth(problem: Problem) -> dict[str, bool]:
    """Goal predicate -> whether it truly holds now."""
    scene = problem.kitchen.scene()
    return {str(predicate): judge.holds(problem.task.spec, scene, predicate) for predicate in problem.goal.predicates}


def planner_for(options: RunOptions, problem: Problem, learned: Learned) -> Planner:
    """The planner the options ask for; in the simulator's own dynamics it imagines in a second kitchen, never in the real one."""
    if options.world == "simulator":
        maps = "oracle" if options.maps == "oracle" else learned.maps_of
        return Planner(simulated.SimulatedWorld(Kitchen(problem.task.spec), maps=maps), options.planner)
    from hiermap.worlds.imagined.latent import LatentWorld

    return Planner(LatentWorld(learned.weights.model), options.planner, SearchOptions.learned())
