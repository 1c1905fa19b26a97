"""Walks through the procedural kitchens, whose rules are exact: by motor programs, or teleported to what the rules say."""

from typing import TYPE_CHECKING

import numpy as np

from hiermap.data.walks.recorder import Look, Step
from hiermap.data.walks.transitions import executed, look, teleported
from hiermap.worlds.base import Action, Observation
from hiermap.worlds.kitchen.scene_sampling import random_scene
from hiermap.worlds.kitchen.spec import DOORS, KitchenSpec, SceneState
from hiermap.worlds.oracle.affordances import move_cells
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.obstacles import standing
from hiermap.worlds.rules.slabs import cylinder_overlaps, part_slabs
from hiermap.worlds.rules.transitions import with_fraction
from hiermap.worlds.simulator.kitchen import Kitchen

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings

BUMPED = 0.03, 0.97
"""Between which shares of its way something bumped is left, more often near an end than in the middle."""


class Teleported:
    """The kitchen of a seed in a random state, as `Walked`; actions have the effects that the exact rules say."""

    def __init__(self, seed: int, settings: "CollectSettings", rng: np.random.Generator) -> None:
        self.kitchen = Kitchen(seed, settings.sensing)
        self.kitchen.set_scene(random_scene(self.kitchen.spec, rng))
        spec = self.kitchen.spec
        self.family, self.masks = spec.family, self.kitchen.masks()
        self.kinds = {fixture.name: fixture.kind for fixture in spec.fixtures}
        self.kinds |= {thing.name: thing.name for thing in spec.objects} | {surface.name: "surface" for surface in spec.surfaces}

    def observe(self) -> Observation:
        return self.kitchen.observe()

    def look(self) -> Look:
        return look(self.kitchen)

    def attempt(self, now: Look, action: Action) -> Step:
        return teleported(self.kitchen, now, action)

    def cells(self, now: Look, move: Move, rotation: int) -> np.ndarray:
        return move_cells(self.kitchen.spec, now.scene, now.view, move, rotation, self.masks)[0]

    def restore(self, now: Look) -> None:
        self.kitchen.restore(now.snapshot)

    def bumped(self, now: Look, rng: np.random.Generator) -> Look | None:
        scene = bumped(self.kitchen.spec, now.scene, rng)
        if scene is None:
            return None
        self.kitchen.set_scene(scene)
        return self.look()


class Played(Teleported):
    """The same; actions are made by the motor programs and judged."""

    def attempt(self, now: Look, action: Action) -> Step:
        return executed(self.kitchen, now, action)


def bumped(spec: KitchenSpec, scene: SceneState, rng: np.random.Generator) -> SceneState | None:
    """The scene with something that moves anywhere on its way; None where that would touch what stands there.

    A door moves once its latch is undone, a latch while all its doors are shut.
    """
    stuck = {f.latch for f in spec.fixtures if scene.fractions[f.name] > 0.0}
    movable = [f for f in spec.fixtures if f.name not in stuck and (f.latch is None or scene.fractions[f.latch] > 0.0)]
    if not movable:
        return None
    chosen, fraction = movable[rng.integers(len(movable))], BUMPED[0] + (BUMPED[1] - BUMPED[0]) * float(rng.beta(0.7, 0.7))
    part = part_slabs(chosen, fraction)
    touches = chosen.kind in DOORS and cylinder_overlaps(part, standing(spec, scene), 0.0).any()
    return None if touches else with_fraction(spec, scene, chosen.name, fraction)
