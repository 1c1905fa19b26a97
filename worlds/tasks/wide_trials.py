"""A single-primitive trial in a kitchen of the wide world: what the rules of its geometry allow, and what a judge sees of it."""

from collections.abc import Iterator

import numpy as np

from hiermap.worlds.base import Action
from hiermap.worlds.errors import ConfigError, PhysicsError
from hiermap.worlds.geometry.affordances import Region, regions
from hiermap.worlds.geometry.geometry_table import NOMINAL, GeometryTable
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.goals import Predicate
from hiermap.worlds.mjcf.mjcf_scene import PartsScene
from hiermap.worlds.mjcf.parts import base_of
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import Place
from hiermap.worlds.tasks.geometry_chains import wide_scenes
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.wide.kitchens import kind_of

WIDE = KitchenOptions(name="wide")
STARTS, KITCHENS = 6, 40
"""Starts tried in a kitchen, and kitchens tried, for a seed."""
PLACED_M = 0.05
"""What was set down stands at most this far from where it was meant to."""


class WideTrial:
    """One move asked for in a wide kitchen, balanced over the kinds of things there; to place something, it is grasped first.

    Attributes:
        scene: as the trial begins.
        move: what shall happen.

    Raises:
        ConfigError: no kitchen near the seed allows such a move.
    """

    def __init__(self, suite: str, seed: int, sensing: SensingOptions | None = None, options: KitchenOptions = WIDE) -> None:
        primitive = suite.removeprefix("primitive-")
        for self.scene in wide_scenes(seed, KITCHENS, sensing, options.robot, options.wide):
            self._geometry = SceneGeometry.of(self.scene)
            for attempt in range(STARTS):
                if self._begin(primitive, np.random.default_rng([seed, attempt, 0x51])):
                    return
        raise ConfigError(f"kitchen=wide has nothing to {primitive} near seed {seed}; try another seed")

    def _begin(self, primitive: str, rng: np.random.Generator) -> bool:
        """Whether a random start, with something in the hand to place, shows a cell for such a move."""
        fractions, numbers = self._geometry.start(rng)
        self._held = None
        try:
            self.scene.pose(fractions, {name: self._geometry.base(name, number, fractions) for name, number in numbers.items()})
            self._rules = GeometryTable(self._geometry, fractions, numbers, NOMINAL)
            if primitive == "place":
                self._held = self._grasped(rng)
        except PhysicsError:
            return False
        if self._held is not None:
            left = {name: number for name, number in numbers.items() if name != self._held}
            self._rules = GeometryTable(self._geometry, fractions, left, NOMINAL, self._held)
        region = self._drawn(primitive, rng)
        if region is not None:
            self.move, self._best = region.operator.move, Action(primitive, region.best, region.rotation)
            self._masks = self.scene.masks()
        return region is not None

    def _grasped(self, rng: np.random.Generator) -> str | None:
        """The thing that was taken, if one was."""
        region = self._drawn("grasp", rng)
        if region is None:
            return None
        self.scene.act(Action("grasp", region.best, region.rotation), self.scene.view())
        return region.operator.move.target if happened(self.scene, region.operator.move) else None

    def _drawn(self, primitive: str, rng: np.random.Generator) -> Region | None:
        """Where one of the moves would be made, each kind of thing as likely; None if there is none."""
        by_kind: dict[str, list[Region]] = {}
        for region in self._regions(self.scene.view()):
            if region.operator.move.primitive == primitive:
                by_kind.setdefault(self.kind(region.operator.move), []).append(region)
        if not by_kind:
            return None
        among = by_kind[str(rng.choice(sorted(by_kind)))]
        return among[int(rng.integers(len(among)))]

    def _regions(self, view: SpatialView) -> Iterator[Region]:
        return regions(self._geometry, self._rules, self.scene.data.qpos, view, self.scene.masks())

    def oracle_action(self, view: SpatialView) -> Action | None:
        """The trial's own move at the best cell of the first view, by the rules of geometry."""
        return self._best

    def meaning(self, action: Action, view: SpatialView) -> Move | None:
        """The move that an action at a cell of the first view is for, whether or not the rules allow it; None if nothing there takes it."""
        if action.primitive == "place":
            place = Place(ground(view, action).point_world)
            return None if self._held is None else Move("place", self._held, action.rotation_index, place=place)
        target = next((name for name, mask in self._masks.items() if mask[action.cell] and name not in self.scene.parts.surfaces), None)
        if target is None or (target in self.scene.parts.things) != (action.primitive == "grasp"):
            return None
        if action.primitive == "grasp":
            return Move("grasp", target, action.rotation_index)
        part = self.scene.parts.fixtures[target]
        at_rest = self._rules.fixtures[target].of(np.array(self._rules.start)) == 0
        return Move(action.primitive, target, action.rotation_index, to=part.ends[int(at_rest)])

    def had_effect(self, move: Move) -> bool:
        """Whether the judge sees what a move is for."""
        return happened(self.scene, move)

    def kind(self, move: Move) -> str:
        """The kind of the thing a move acts on, or for "place" what it is put in or on."""
        if move.place is None:
            return kind_of(move.target)
        return "counter" if move.place.drawer is None else "drawer"


def happened(scene: PartsScene, move: Move) -> bool:
    """Whether the judge sees what a move is for."""
    if move.place is not None:
        base = base_of(scene.model, scene.data, scene.parts.things[move.target])
        return bool(np.linalg.norm(base - move.place.point_world) <= PLACED_M) and not scene.between_fingers()
    wanted = Predicate(move.to or "held", (move.target,))
    return scene.truth([wanted])[str(wanted)]
