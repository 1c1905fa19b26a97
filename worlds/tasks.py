"""Tasks drawn from seeds: `chain-k` goals whose shortest solution has exactly k primitives."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from worlds import rules
from worlds.base import ConfigError
from worlds.goals import Predicate
from worlds.judge import holds, satisfied, vocabulary
from worlds.layouts import TEST_SEED_START, sample_kitchen
from worlds.moves import Move
from worlds.places import in_drawer
from worlds.scenes import random_scene
from worlds.search import GoalBound, shortest
from worlds.spec import KitchenSpec, SceneState
from worlds.sweep import LOOSE, STRICT, cylinder_overlaps, part_slabs
from worlds.table import Table

if TYPE_CHECKING:
    from worlds.kitchen import Kitchen

LONGEST_CHAIN = 10
DETOUR_FROM = 4
"""From this length on tasks are asked to contain a detour."""
DETOUR_SHARE = 0.7
"""Share of those tasks that must contain one; the others may."""
GOALS_PER_SCENE = 40
SCENES_PER_KITCHEN = 2
KITCHENS = 60
MIN_VISIBLE_CELLS = 12
"""A goal's target is a mask in the first view of at least this many cells."""
CLEAR = 0.006
"""Free space demanded between objects and open parts at the start [m]."""
KIND_WEIGHTS = {"open": 1.0, "closed": 1.3, "on": 1.0, "off": 1.2, "inside": 2.2, "on_top": 1.6, "held": 0.3}
"""How often a predicate kind is tried as part of a goal, among the predicates that do not hold yet."""

Visible = Callable[[KitchenSpec, SceneState], set[str]]
"""Names of the things seen in the first view."""


@dataclass(frozen=True)
class Task:
    """A kitchen, how it starts, and what shall hold.

    Attributes:
        name: the suite, for example "chain-3".
        shortest: primitives of the shortest solution, exactly.
        detours: steps of `solution` that no goal predicate asks for.
        solution: one shortest solution, replayable with `rules.apply`.
    """

    name: str
    seed: int
    spec: KitchenSpec
    scene: SceneState
    goal_predicates: tuple[Predicate, ...]
    shortest: int
    detours: int
    solution: tuple[Move, ...]


def chain_length(suite: str) -> int:
    """The k of "chain-k".

    Raises:
        ConfigError: not a chain suite, or k is out of range.
    """
    head, _, tail = suite.partition("-")
    if head != "chain" or not tail.isdigit() or not 1 <= int(tail) <= LONGEST_CHAIN:
        raise ConfigError(f"unknown suite {suite!r}; expected chain-1 .. chain-{LONGEST_CHAIN}")
    return int(tail)


def sample_task(suite: str, seed: int, visible: Visible | None = None) -> Task:
    """The task of a seed (any non-negative integer); seeds from `TEST_SEED_START` on use the test kitchens.

    `visible` tells what the first view shows; by default the simulator's own segmentation does, which builds the kitchen once.

    Raises:
        ConfigError: unknown suite or negative seed, or (never seen) no such task near the seed.
    """
    length = chain_length(suite)
    if seed < 0:
        raise ConfigError(f"task seed {seed}: expected a non-negative integer")
    want_detour = length >= DETOUR_FROM and np.random.default_rng([seed, length, 0]).uniform() < DETOUR_SHARE
    for attempt, (spec, scene, rng) in enumerate(scenes(seed, length)):
        task = _task_in_scene(suite, seed, spec, scene, rng, length, want_detour, visible or seen_in_first_view)
        if task is not None:
            return task
        if attempt >= KITCHENS * SCENES_PER_KITCHEN:
            break
    raise ConfigError(f"no {suite} task found near seed {seed}; try another seed")


def kitchen_seeds(seed: int) -> Iterator[int]:
    """The seed itself, then others on the same side of the border between training and test kitchens."""
    low, size = (TEST_SEED_START, 1_000_000) if seed >= TEST_SEED_START else (0, TEST_SEED_START)
    for step in range(KITCHENS):
        yield seed if step == 0 else low + (seed + 7919 * step) % size


def scenes(seed: int, salt: int) -> Iterator[tuple[KitchenSpec, SceneState, np.random.Generator]]:
    """Kitchens and clear starting scenes for a seed, with the generator to go on with."""
    for kitchen_seed in kitchen_seeds(seed):
        spec = sample_kitchen(kitchen_seed)
        for index in range(SCENES_PER_KITCHEN):
            rng = np.random.default_rng([seed, salt, 1, kitchen_seed, index])
            scene = crisp_scene(spec, rng)
            if scene is not None:
                yield spec, scene, rng


def crisp_scene(spec: KitchenSpec, rng: np.random.Generator) -> SceneState | None:
    """A random scene in which everything is either open or shut, on or off, and nothing touches; None if it came out too tight."""
    drawn = random_scene(spec, rng)
    drawers = {f.name for f in spec.fixtures if f.kind == "drawer"}
    # A drawer that was ajar is shut with what is in it; anything else ajar swings open.
    fractions = {n: float(f == 1.0 or (f > 0.0 and n not in drawers)) for n, f in drawn.fractions.items()}
    poses = dict(drawn.poses)
    for name in drawers:
        drawer, before = spec.fixture(name), drawn.fractions[name]
        shift = (fractions[name] - before) * drawer.joint_range * np.array(drawer.joint_axis_world)
        for thing, pose in poses.items():
            if shift.any() and in_drawer(drawer, before, np.array(pose[:3])):
                poses[thing] = (pose[0] + float(shift[0]), pose[1] + float(shift[1]), pose[2] + float(shift[2]), pose[3])
    for fixture in spec.fixtures:
        if fixture.latch is not None and fractions[fixture.name] > 0.0:
            fractions[fixture.latch] = 1.0
    scene = SceneState(fractions, poses)
    return scene if is_clear(spec, scene) else None


def is_clear(spec: KitchenSpec, scene: SceneState) -> bool:
    """Whether no object touches an open door or another object's place."""
    standing = [(o, scene.poses[o.name]) for o in spec.objects if o.name in scene.poses and o.name != scene.held]
    if not standing:
        return True
    cylinders = np.array([[x, y, o.radius, z + 0.005, z + o.height] for o, (x, y, z, _) in standing])
    for fixture in spec.fixtures:
        parts = part_slabs(fixture, scene.fractions[fixture.name])
        if fixture.kind != "drawer" and scene.fractions[fixture.name] > 0.0 and cylinder_overlaps(parts, cylinders, CLEAR).any():
            return False
    return True


def _task_in_scene(
    suite: str, seed: int, spec: KitchenSpec, scene: SceneState, rng: np.random.Generator, length: int, want_detour: bool, visible: Visible
) -> Task | None:
    strict, loose = rules.table_for(spec, scene, STRICT), rules.table_for(spec, scene, LOOSE)
    seen: set[str] | None = None
    for _ in range(GOALS_PER_SCENE):
        goal = _sample_goal(spec, scene, strict, rng, length, want_detour)
        if goal is None:
            continue
        solution = exact_solution(strict, loose, goal, length)
        if solution is None:
            continue
        detours = count_detours(solution, goal)
        if want_detour and detours == 0:
            continue
        if seen is None:
            seen = visible(spec, scene)
        if {name for p in goal for name in p.arguments} <= seen:
            return Task(suite, seed, spec, scene, goal, length, detours, solution)
    return None


def exact_solution(strict: Table, loose: Table, goal: Sequence[Predicate], length: int) -> tuple[Move, ...] | None:
    """A solution of exactly `length` moves that needs no tight clearance, if even generous clearance allows no shorter one."""
    if int(GoalBound(strict, goal)(np.array([strict.start], np.int64))[0]) > length:
        return None
    solution = shortest(strict, goal, length)
    if solution is None or len(solution) != length or shortest(loose, goal, length - 1) is not None:
        return None
    return solution


def _sample_goal(
    spec: KitchenSpec, scene: SceneState, table: Table, rng: np.random.Generator, length: int, want_detour: bool
) -> tuple[Predicate, ...] | None:
    """A random conjunction whose lower bound is near `length`; None if it came out empty."""
    keys = vocabulary(spec, tuple(o.name for o in table.objects))
    unmet = [Predicate(k[0], k[1:]) for k in keys if not holds(spec, scene, Predicate(k[0], k[1:]))]
    hidden = _hidden_objects(spec, scene)
    unmet = [p for p in unmet if not set(p.arguments) & hidden]
    weights = np.array([KIND_WEIGHTS[p.kind] for p in unmet])
    kinds = {kind: sum(p.kind == kind for p in unmet) for kind in KIND_WEIGHTS}
    weights = weights / np.sqrt([kinds[p.kind] for p in unmet])
    slack = int(rng.integers(1, 4)) if want_detour else int(rng.integers(0, 2))
    start = np.array([table.start], np.int64)
    goal: list[Predicate] = []
    for index in rng.choice(len(unmet), size=len(unmet), replace=False, p=weights / weights.sum()):
        candidate = unmet[int(index)]
        if _clashes(candidate, goal):
            continue
        grown = _with_shut_drawer(spec, scene, [*goal, candidate], rng)
        bound = GoalBound(table, grown)
        if bound.contradictory or int(bound(start)[0]) > length:
            continue
        goal = grown
        if int(bound(start)[0]) >= length - slack:
            break
    return tuple(goal) or None


def _with_shut_drawer(spec: KitchenSpec, scene: SceneState, goal: list[Predicate], rng: np.random.Generator) -> list[Predicate]:
    """Often what is put into a drawer shall be shut away."""
    last = goal[-1]
    if last.kind != "inside" or rng.uniform() > 0.5:
        return goal
    shut = Predicate("closed", (last.arguments[1],))
    if shut in goal or Predicate("open", shut.arguments) in goal:
        return goal
    return [*goal, shut]


def _clashes(candidate: Predicate, goal: Sequence[Predicate]) -> bool:
    opposite = {"open": "closed", "closed": "open", "on": "off", "off": "on"}
    for other in goal:
        if other == candidate or (other.kind == opposite.get(candidate.kind) and other.arguments == candidate.arguments):
            return True
        placing = ("inside", "on_top", "held")
        if candidate.kind in placing and other.kind in placing:
            same_thing = candidate.arguments[0] == other.arguments[0]
            same_place = len(candidate.arguments) == len(other.arguments) == 2 and candidate.arguments[1] == other.arguments[1]
            if same_thing or same_place or (candidate.kind == other.kind == "held"):
                return True
    return False


def _hidden_objects(spec: KitchenSpec, scene: SceneState) -> set[str]:
    hidden = set()
    for drawer in (f for f in spec.fixtures if f.kind == "drawer" and scene.fractions[f.name] < 0.9):
        hidden |= {n for n, pose in scene.poses.items() if in_drawer(drawer, scene.fractions[drawer.name], np.array(pose[:3]))}
    return hidden


def count_detours(solution: Sequence[Move], goal: Sequence[Predicate]) -> int:
    """Steps that no goal predicate asks for; a predicate asks for the last step on its subject, and a placing one also for the grasp."""
    asked: set[int] = set()
    for predicate in goal:
        steps = [i for i, move in enumerate(solution) if move.target == predicate.arguments[0]]
        asked.update(steps[-1:])
        if steps and solution[steps[-1]].primitive == "place":
            asked.update([i for i in steps[:-1] if solution[i].primitive == "grasp"][-1:])
    return len(solution) - len(asked)


def replay(task: Task) -> SceneState:
    """The scene after the task's solution; ValueError if the rules refuse a step."""
    scene = task.scene
    for move in task.solution:
        scene = rules.apply(task.spec, scene, move)
    return scene


def is_solved(task: Task, scene: SceneState) -> bool:
    """Whether the task's goal holds in a true scene."""
    return satisfied(task.spec, scene, task.goal_predicates)


def seen_in_first_view(spec: KitchenSpec, scene: SceneState) -> set[str]:
    """Things with at least `MIN_VISIBLE_CELLS` cells in the simulator's segmentation of the scene."""
    kitchen = simulator(spec)
    kitchen.set_scene(scene)
    return {name for name, mask in kitchen.masks().items() if int(mask.sum()) >= MIN_VISIBLE_CELLS}


@lru_cache(maxsize=2)
def simulator(spec: KitchenSpec) -> "Kitchen":
    """A `Kitchen` of that spec, kept for the next question."""
    from worlds.kitchen import Kitchen  # only worth importing when somebody looks

    return Kitchen(spec)

