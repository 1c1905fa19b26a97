"""Where tasks come from, by the name of a kitchen: `KITCHENS` is the visible registry."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate
from hiermap.worlds.imagined.simulated import KnownKitchen, SimulatedWorld
from hiermap.worlds.imagined.toy import TOY_INSTANCES, ToyScene, ToyWorld
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules import judge
from hiermap.worlds.scene import Oracle, PosedTask
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.tasks.chain_names import SEQUEL_OF, SEQUELS, chain_length
from hiermap.worlds.tasks.chains import Task, next_task, sample_task
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS

FREE = "free"
"""The suite that asks for nothing: a random kitchen in a random state."""


class KitchenScene(Kitchen):
    """A simulated kitchen as a `Scene`."""

    def truth(self, predicates: Sequence[Predicate]) -> dict[str, bool]:
        """By the exact rules, on the true state."""
        scene = self.scene()
        return {str(predicate): judge.holds(self.spec, scene, predicate) for predicate in predicates}


def hiermap_task(suite: str, seed: int, sensing: SensingOptions | None = None) -> PosedTask:
    """A `chain-k` task, or the first of a `sequel-n`, in the kitchen of a seed, or with suite "free" that kitchen in a random state."""
    if suite == FREE:
        kitchen = KitchenScene(seed, sensing)
        kitchen.set_scene(random_scene(kitchen.spec, np.random.default_rng([seed, 0x9A])))
        return PosedTask(suite, seed, kitchen, (), 0)
    task = sample_task(SEQUEL_OF if suite in SEQUELS else suite, seed)
    kitchen = KitchenScene(task.spec, sensing)
    kitchen.set_scene(task.scene)
    oracle = Oracle(KnownKitchen(kitchen), lambda maps: SimulatedWorld(Kitchen(task.spec, sensing), maps))
    seen = {name for name, mask in kitchen.masks().items() if mask.sum() >= MIN_VISIBLE_CELLS} if suite in SEQUELS else set()

    def posed(asked: Task) -> PosedTask:
        return PosedTask(suite, seed, kitchen, asked.goal_predicates, asked.shortest, asked.detours, oracle, further)

    def further(number: int) -> PosedTask | None:
        found = next_task(task, kitchen.scene(), number, seen)
        return None if found is None else posed(found)

    return posed(task)


def toy_task(suite: str, seed: int, sensing: SensingOptions | None = None) -> PosedTask:
    """A toy problem whose shortest solution has as many primitives as the suite says; there is nothing to sense."""
    length = chain_length(suite)
    instances = [instance for instance in TOY_INSTANCES.values() if instance.shortest == length]
    if not instances:
        lengths = sorted({instance.shortest for instance in TOY_INSTANCES.values() if instance.shortest})
        raise ConfigError(f"kitchen=toy has no {suite}; it has chains of {lengths}")
    instance = instances[seed % len(instances)]
    scene = ToyScene(instance.kitchen)
    return PosedTask(suite, seed, scene, instance.predicates, length, oracle=Oracle(scene, lambda maps: ToyWorld(instance.kitchen)))


KITCHENS: Mapping[str, Callable[[str, int, SensingOptions | None], PosedTask]] = {"hiermap": hiermap_task, "toy": toy_task}
"""Name -> the task of a suite and a seed, seen with the given sensing."""
