"""Drawing kitchens and clear starting scenes from seeds, and asking the simulator what is seen in them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.kitchen.layouts import TEST_SEED_START
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import DOORS, KitchenSpec, SceneState
from hiermap.worlds.rules.obstacles import standing
from hiermap.worlds.rules.slabs import cylinder_overlaps, part_slabs
from hiermap.worlds.rules.transitions import with_fraction

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


def start_scene(spec: KitchenSpec, rng: np.random.Generator) -> SceneState | None:
    """A random scene in which everything is either open or shut, on or off, and nothing touches; None if it came out too tight."""
    scene = random_scene(spec, rng)
    for fixture in spec.fixtures:
        # A drawer that was ajar is shut with what is in it; anything else ajar swings open.
        drawn = scene.fractions[fixture.name]
        scene = with_fraction(spec, scene, fixture.name, float(drawn == 1.0 or (drawn > 0.0 and fixture.kind != "drawer")))
    unlatched = {f.latch: 1.0 for f in spec.fixtures if f.latch is not None and scene.fractions[f.name] > 0.0}
    scene = replace(scene, fractions={**scene.fractions, **unlatched})
    swung = [f for f in spec.fixtures if f.kind in DOORS and scene.fractions[f.name] > 0.0]
    parts = [part_slabs(door, scene.fractions[door.name]) for door in swung]
    return None if any(cylinder_overlaps(part, standing(spec, scene), CLEAR).any() for part in parts) else scene


def seen_in_first_view(spec: KitchenSpec, scene: SceneState) -> set[str]:
    """Things with at least `MIN_VISIBLE_CELLS` cells in the simulator's segmentation of the scene."""
    kitchen = simulator(spec)
    kitchen.set_scene(scene)
    return {name for name, mask in kitchen.masks().items() if int(mask.sum()) >= MIN_VISIBLE_CELLS}


@lru_cache(maxsize=2)
def simulator(spec: KitchenSpec, arm: ArmSpec = PANDA) -> "Kitchen":
    """A `Kitchen` of that spec and arm, kept for the next question."""
    from hiermap.worlds.simulator.kitchen import Kitchen  # only worth importing when somebody looks

    return Kitchen(spec, arm=arm)
