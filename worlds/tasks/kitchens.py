"""Where tasks come from, by the name of a kitchen: `KITCHENS` is the visible registry."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate, asked, is_in_words
from hiermap.worlds.imagined.simulated import KnownKitchen, SimulatedWorld
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.fusion import SpatialView, see
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules import judge
from hiermap.worlds.scene import Oracle, PosedTask, RealWorld, Scene
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.robot_scene import RobotScene
from hiermap.worlds.tasks.chain_names import FREE, GOAL, SEQUEL_OF, SEQUELS, chain_length
from hiermap.worlds.tasks.chains import Task, next_task, sample_task
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS

PROCEDURAL = KitchenOptions()
STARTS = 20
"""Drawn for a seed of a stranger's scene, until the goal does not hold."""


class KitchenScene(Kitchen):
    """A simulated kitchen as a `Scene`."""

    def vocabulary(self) -> list[Predicate]:
        """By the exact rules."""
        names = tuple(thing.name for thing in self.spec.objects)
        return [Predicate(kind, tuple(rest)) for kind, *rest in judge.vocabulary(self.spec, names)]

    def truth(self, predicates: Sequence[Predicate]) -> dict[str, bool]:
        """By the exact rules, on the true state."""
        scene = self.scene()
        return {str(predicate): judge.holds(self.spec, scene, predicate) for predicate in predicates}


def called_in(scene: RealWorld) -> Mapping[str, str]:
    """What people would call the things of a scene, where that is not their names."""
    return scene.called() if isinstance(scene, RobotScene) else {}


def wanted(goal: str, scene: Scene, least_cells: int = MIN_VISIBLE_CELLS) -> tuple[Predicate, ...]:
    """As `understood`, of a scene as it is seen now."""
    if not is_in_words(goal):
        return asked(goal, scene.vocabulary())
    return understood(goal, scene.vocabulary(), see(scene.observe(), scene.frame), scene.masks(), called_in(scene), least_cells)


def understood(
    goal: str,
    vocabulary: Sequence[Predicate],
    view: SpatialView,
    masks: Mapping[str, np.ndarray],
    called: Mapping[str, str],
    least_cells: int = MIN_VISIBLE_CELLS,
) -> tuple[Predicate, ...]:
    """What a goal asks for, told as predicates, or in plain words about what a `view` shows in `masks` `[H, W]` bool of at least so many
    cells, by what they are `called`; ConfigError if it cannot be read.
    """
    if not is_in_words(goal):
        return asked(goal, vocabulary)
    from hiermap.worlds.words import said, seen  # needs the extra `words`

    return said(goal, vocabulary, seen(view, {name: mask for name, mask in masks.items() if mask.sum() >= least_cells}), called)


def hiermap_task(
    suite: str, seed: int, sensing: SensingOptions | None = None, options: KitchenOptions = PROCEDURAL, goal: str = ""
) -> PosedTask:
    """A `chain-k` task, or the first of a `sequel-n`, in the kitchen of a seed, or that kitchen in a random state: for suite "free", which
    asks for nothing, or "goal", which asks for `goal`.
    """
    task = None if suite in (FREE, GOAL) else sample_task(SEQUEL_OF if suite in SEQUELS else suite, seed)
    kitchen = KitchenScene(seed if task is None else task.spec, sensing, arm=options.robot)
    kitchen.set_scene(random_scene(kitchen.spec, np.random.default_rng([seed, 0x9A])) if task is None else task.scene)
    oracle = Oracle(KnownKitchen(kitchen), lambda maps: SimulatedWorld(Kitchen(kitchen.spec, sensing, arm=options.robot), maps))
    if task is None:
        return PosedTask(suite, seed, kitchen, wanted(goal, kitchen) if suite == GOAL else (), 0, oracle=oracle)
    seen = {name for name, mask in kitchen.masks().items() if mask.sum() >= MIN_VISIBLE_CELLS} if suite in SEQUELS else set()

    def posed(asked: Task) -> PosedTask:
        return PosedTask(suite, seed, kitchen, asked.goal_predicates, asked.shortest, asked.detours, oracle, further)

    def further(number: int) -> PosedTask | None:
        found = next_task(task, kitchen.scene(), number, seen)
        return None if found is None else posed(found)

    return posed(task)


def mjcf_task(
    suite: str, seed: int, sensing: SensingOptions | None = None, options: KitchenOptions = PROCEDURAL, goal: str = ""
) -> PosedTask:
    """A `chain-k` task in a stranger's scene; or the scene as it is written but for what the seed changes, nothing for seed 0: then a goal
    does not hold at the start, unless it does in all of `STARTS` starts.
    """
    from hiermap.worlds.mjcf.mjcf_scene import MjcfScene  # few tasks need it

    path = Path(options.path or "")
    if suite in SEQUELS:
        raise ConfigError(f"kitchen=mjcf has no {suite}; take a chain, or ask for something by goal=... (suite=goal)")
    if suite not in (FREE, GOAL):
        from hiermap.worlds.tasks.geometry_chains import mjcf_chain  # few tasks need it

        return mjcf_chain(suite, seed, path, options, sensing)
    scene = MjcfScene(path, options.place, sensing, seed, options.robot)
    rng = np.random.default_rng([seed, 0x3C])
    for _ in range(STARTS if seed else 1):
        if seed:
            scene.perturb(rng)
        predicates = wanted(goal, scene) if suite == GOAL else ()
        if not predicates or not set(predicates) <= set(scene.vocabulary()) or not all(scene.truth(predicates).values()):
            break
    return PosedTask(suite, seed, scene, predicates, 0)


def wide_task(
    suite: str, seed: int, sensing: SensingOptions | None = None, options: KitchenOptions = PROCEDURAL, goal: str = ""
) -> PosedTask:
    """A `chain-k` task in a wide kitchen, or the wide kitchen of that seed as it is drawn."""
    from hiermap.worlds.tasks.geometry_chains import wide_chain, wide_scene  # few tasks need it

    if suite in SEQUELS:
        raise ConfigError(f"kitchen=wide has no {suite}; take a chain, or ask for something by goal=... (suite=goal)")
    if suite not in (FREE, GOAL):
        return wide_chain(suite, seed, sensing, options.robot, options.wide)
    scene = wide_scene(seed, sensing, options.robot, options.wide)
    return PosedTask(suite, seed, scene, wanted(goal, scene) if suite == GOAL else (), 0)


def toy_task(
    suite: str, seed: int, sensing: SensingOptions | None = None, options: KitchenOptions = PROCEDURAL, goal: str = ""
) -> PosedTask:
    """A toy problem whose shortest solution has as many primitives as the suite says; there is nothing to sense."""
    if suite == GOAL:
        instances, length = list(TOY_INSTANCES.values()), 0
    else:
        length = chain_length(suite)
        instances = [instance for instance in TOY_INSTANCES.values() if instance.shortest == length]
    if not instances:
        lengths = sorted({instance.shortest for instance in TOY_INSTANCES.values() if instance.shortest})
        raise ConfigError(f"kitchen=toy has no {suite}; it has chains of {lengths}")
    instance = instances[seed % len(instances)]
    scene = ToyScene(instance.kitchen)
    predicates = wanted(goal, scene, least_cells=1) if suite == GOAL else instance.predicates
    return PosedTask(suite, seed, scene, predicates, length, oracle=Oracle(scene, lambda maps: ToyWorld(instance.kitchen)))


KITCHENS: Mapping[str, Callable[..., PosedTask]] = {"hiermap": hiermap_task, "wide": wide_task, "toy": toy_task, "mjcf": mjcf_task}
"""Name -> the task of a suite and a seed, seen with the given sensing; options say which scene, a goal what is asked in suite "goal"."""
