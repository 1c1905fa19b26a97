"""Drawing kitchens and clear starting scenes from seeds, and asking the simulator what is seen in them."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hiermap.worlds.kitchen.layouts import TEST_SEED_START
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.rules.slabs import cylinder_overlaps, part_slabs
from hiermap.worlds.rules.transitions import carried

if TYPE_CHECKING:
    from hiermap.worlds.simulator.kitchen import Kitchen

KITCHENS = 60
"""Kitchens tried for one seed."""
MIN_VISIBLE_CELLS = 12
"""A goal's target is a mask in the first view of at least this many cells."""
CLEAR = 0.006
"""Free space demanded between objects and open parts at the start [m]."""


def kitchen_seeds(seed: int) -> Iterator[int]:
    """The seed itself, then others on the same side of the border between training and test kitchens."""
    low, size = (TEST_SEED_START, 1_000_000) if seed >= TEST_SEED_START else (0, TEST_SEED_START)
    for step in range(KITCHENS):
        yield seed if step == 0 else low + (seed + 7919 * step) % size


def crisp_scene(spec: KitchenSpec, rng: np.random.Generator) -> SceneState | None:
    """A random scene in which everything is either open or shut, on or off, and nothing touches; None if it came out too tight."""
    drawn = random_scene(spec, rng)
    drawers = {f.name for f in spec.fixtures if f.kind == "drawer"}
    # A drawer that was ajar is shut with what is in it; anything else ajar swings open.
    fractions = {n: float(f == 1.0 or (f > 0.0 and n not in drawers)) for n, f in drawn.fractions.items()}
    poses = dict(drawn.poses)
    for name in drawers:
        poses = carried(spec.fixture(name), drawn.fractions[name], fractions[name], poses)
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


def seen_in_first_view(spec: KitchenSpec, scene: SceneState) -> set[str]:
    """Things with at least `MIN_VISIBLE_CELLS` cells in the simulator's segmentation of the scene."""
    kitchen = simulator(spec)
    kitchen.set_scene(scene)
    return {name for name, mask in kitchen.masks().items() if int(mask.sum()) >= MIN_VISIBLE_CELLS}


@lru_cache(maxsize=2)
def simulator(spec: KitchenSpec) -> "Kitchen":
    """A `Kitchen` of that spec, kept for the next question."""
    from hiermap.worlds.simulator.kitchen import Kitchen  # only worth importing when somebody looks

    return Kitchen(spec)
