"""Tasks drawn from seeds: `chain-k` goals whose shortest solution has exactly k primitives."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.shortest_paths import shortest
from hiermap.worlds.rules.slabs import LOOSE, STRICT
from hiermap.worlds.rules.state_table import StateTable
from hiermap.worlds.tasks.chain_names import chain_length
from hiermap.worlds.tasks.goal_sampling import GoalSampler
from hiermap.worlds.tasks.start_scenes import kitchen_seeds, seen_in_first_view, start_scene

DETOUR_FROM = 4
"""From this length on tasks are asked to contain a detour."""
DETOUR_SHARE = 0.7
"""Share of those tasks that must contain one; the others may."""
GOALS_PER_SCENE, SCENES_PER_KITCHEN = 40, 2
"""Tries before the next scene, and before the next kitchen."""


@dataclass(frozen=True)
class Task:
    """A kitchen, how it starts, and what shall hold.

    Attributes:
        name: the suite, for example "chain-3".
        shortest: primitives of the shortest solution, exactly.
        detours: steps of `solution` that no goal predicate asks for.
        solution: one shortest solution, replayable with `transitions.apply`.
    """

    name: str
    seed: int
    spec: KitchenSpec
    scene: SceneState
    goal_predicates: tuple[Predicate, ...]
    shortest: int
    detours: int
    solution: tuple[Move, ...]


def sample_task(suite: str, seed: int) -> Task:
    """The task of a seed (any non-negative integer); seeds from `TEST_SEED_START` on use the test kitchens.

    The simulator is asked what the first view shows.

    Raises:
        ConfigError: unknown suite or negative seed, or (never seen) no such task near the seed.
    """
    length = chain_length(suite)
    if seed < 0:
        raise ConfigError(f"task seed {seed}: expected a non-negative integer")
    want_detour = length >= DETOUR_FROM and np.random.default_rng([seed, length, 0]).uniform() < DETOUR_SHARE
    for spec, scene, rng in _scenes(seed, length):
        task = _task_in_scene(suite, seed, spec, scene, rng, length, want_detour)
        if task is not None:
            return task
    raise ConfigError(f"no {suite} task found near seed {seed}; try another seed")


def next_task(task: Task, scene: SceneState, number: int, seen: Set[str]) -> Task | None:
    """A task as long as a first one, posed in what has become of its kitchen, of things that were seen at first; None if none is found."""
    rng = np.random.default_rng([task.seed, task.shortest, 2, number])
    return _task_in_scene(task.name, task.seed, task.spec, scene, rng, task.shortest, False, seen)


def _scenes(seed: int, salt: int) -> Iterator[tuple[KitchenSpec, SceneState, np.random.Generator]]:
    """Kitchens and clear starting scenes for a seed, with the generator to go on with."""
    for kitchen_seed in kitchen_seeds(seed):
        spec = sample_kitchen(kitchen_seed)
        for index in range(SCENES_PER_KITCHEN):
            rng = np.random.default_rng([seed, salt, 1, kitchen_seed, index])
            scene = start_scene(spec, rng)
            if scene is not None:
                yield spec, scene, rng


def _task_in_scene(
    suite: str,
    seed: int,
    spec: KitchenSpec,
    scene: SceneState,
    rng: np.random.Generator,
    length: int,
    want_detour: bool,
    seen: Set[str] = frozenset(),
) -> Task | None:
    strict, loose = transitions.table_for(spec, scene, STRICT), transitions.table_for(spec, scene, LOOSE)
    for goal, solution in reachable_goals(strict, loose, rng, length, want_detour, seen):
        seen = seen or seen_in_first_view(spec, scene)
        if {name for p in goal for name in p.arguments} <= seen:
            return Task(suite, seed, spec, scene, goal, length, count_detours(solution, goal), solution)
    return None


def reachable_goals(
    strict: StateTable, loose: StateTable, rng: np.random.Generator, length: int, want_detour: bool, known: Set[str] = frozenset()
) -> Iterator[tuple[tuple[Predicate, ...], tuple[Move, ...]]]:
    """Goals from the start of two tables of a scene with their shortest solutions of `length` moves: such as need no tight clearance, while
    even generous clearance allows no shorter one.

    With `want_detour` they need steps that nobody asks for. What is hidden is asked for only if it is `known` where it is.
    """
    sampler = GoalSampler(strict, known=known)
    for _ in range(GOALS_PER_SCENE):
        goal = sampler.draw(rng, length, want_detour)
        solution = goal and shortest(strict, goal, length)
        if not goal or not solution or len(solution) != length or shortest(loose, goal, length - 1) is not None:
            continue
        if not want_detour or count_detours(solution, goal) > 0:
            yield goal, solution


def count_detours(solution: Sequence[Move], goal: Sequence[Predicate]) -> int:
    """Steps that no goal predicate asks for; a predicate asks for the last step on its subject, and a placing one also for the grasp."""
    asked: set[int] = set()
    for predicate in goal:
        steps = [i for i, move in enumerate(solution) if move.target == predicate.arguments[0]]
        asked.update(steps[-1:])
        if steps and solution[steps[-1]].primitive == "place":
            asked.update([i for i in steps[:-1] if solution[i].primitive == "grasp"][-1:])
    return len(solution) - len(asked)
