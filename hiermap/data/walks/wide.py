"""Walks through kitchens of the wide world, whose rules are those of their geometry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from hiermap.data.walks.recorder import Look, Step
from hiermap.data.walks.transitions import LABEL_STEPS_CAP, as_usual, in_vain
from hiermap.worlds.base import Action, Observation
from hiermap.worlds.errors import PhysicsError
from hiermap.worlds.geometry.affordances import Region, maps_of, regions
from hiermap.worlds.geometry.geometry_table import NOMINAL, GeometryTable
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.spec import SceneState
from hiermap.worlds.mjcf.mjcf_scene import PartsScene
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.shortest_paths import steps_to_predicates
from hiermap.worlds.rules.state_table import StateTable
from hiermap.worlds.tasks.geometry_chains import wide_scene
from hiermap.worlds.wide.kitchens import kind_of

if TYPE_CHECKING:
    from hiermap.data.collect import CollectSettings


@dataclass(frozen=True, eq=False)
class GeometryLook(Look):
    """A look and where in it every move would be made."""

    regions: Sequence[Region]


def _regions(now: Look) -> Sequence[Region]:
    return cast(GeometryLook, now).regions


class Wide:
    """The wide kitchen of a seed in a random state, as `Walked`.

    Actions have the effects that the rules of its geometry say, but for grasps, which are made: nobody needs to say how a thing then hangs.
    """

    family = "wide"

    def __init__(self, seed: int, settings: "CollectSettings", rng: np.random.Generator) -> None:
        self.scene: PartsScene = wide_scene(seed, settings.sensing, drawn=settings.wide)
        self.geometry = SceneGeometry.of(self.scene)
        fractions, numbers = self.geometry.start(rng)
        self._rules: StateTable = GeometryTable(self.geometry, fractions, numbers, NOMINAL)
        self._pose(fractions, numbers)
        self.masks = self.scene.masks()
        parts = self.scene.parts
        self.kinds = {name: kind_of(name) for name in (*parts.fixtures, *parts.things)} | dict.fromkeys(parts.surfaces, "surface")

    def observe(self) -> Observation:
        """What the cameras see now."""
        return self.scene.observe()

    def look(self) -> GeometryLook:
        """The present view with all its labels; PhysicsError where the scene is not what the rules say."""
        rules, scene, view = self._rules, self.scene, self.scene.view()
        start = np.array([rules.start], np.int64)
        told = {key: bool(rules.holds(start, key)[0]) for key in rules.vocabulary()}
        truth = scene.truth([Predicate(kind, tuple(names)) for kind, *names in told])
        if list(truth.values()) != list(told.values()):
            wrong = [text for (text, holds), said in zip(truth.items(), told.values(), strict=True) if holds != said]
            raise PhysicsError(f"{scene.about}: {', '.join(wrong)} did not come out as the rules say")
        found = list(regions(self.geometry, rules, scene.data.qpos, view, scene.masks()))
        fractions, numbers, held = self._state(rules.start)
        poses = {name: (*self.geometry.base(name, number, fractions).tolist(), 0.0) for name, number in numbers.items()}
        return GeometryLook(
            view,
            SceneState(fractions, poses, held),
            maps_of(found, self.scene.frame.shape),
            told,
            steps_to_predicates(rules, LABEL_STEPS_CAP),
            scene.snapshot(),
            rules,
            found,
        )

    def attempt(self, now: Look, action: Action) -> Step:
        """The effect that the rules say; what they do not allow changes nothing."""
        meant = [r for r in _regions(now) if r.operator.move.primitive == action.primitive and r.rotation == action.rotation_index]
        region = next((r for r in meant if r.cells[action.cell]), None) or next((r for r in meant if r.beside[action.cell]), None)
        if region is None:
            return in_vain(now, action, ground(now.view, action))
        if not region.cells[action.cell]:  # the rules have no number for where it would be then
            action = replace(action, cell=_nearest(region.cells, action.cell))
        command = ground(now.view, action)
        operator = region.operator
        fractions, numbers, held = self._state((now.table.start & ~operator.clear) | operator.put)
        self._rules = GeometryTable(self.geometry, fractions, numbers, NOMINAL, held)
        if action.primitive == "grasp":
            result = self.scene.run(command)
        else:
            self._pose(fractions, numbers)
            result = as_usual(action)
        return Step(now, self.look(), action, command, True, result)

    def cells(self, now: Look, move: Move, rotation: int) -> np.ndarray:
        """Where an orientation of a primitive would mean a move, `[H, W]` bool."""
        meant = [region.cells for region in _regions(now) if region.operator.move == move and region.rotation == rotation]
        return np.any(meant, axis=0) if meant else np.zeros(now.view.valid.shape, bool)

    def restore(self, now: Look) -> None:
        """Back to where a look was taken."""
        self.scene.restore(now.snapshot)
        self._rules = now.table

    def bumped(self, now: Look, rng: np.random.Generator) -> Look | None:
        """Nothing: rules of geometry know fixtures at their ends only."""
        return None

    def _state(self, state: int) -> tuple[dict[str, float], dict[str, int], str | None]:
        """Of a state of the rules: fractions of the fixtures, number of every thing's place but the held one's, and that one's name."""
        rules, states = self._rules, np.array(state)
        fractions = {name: float(variable.of(states)) for name, variable in rules.fixtures.items()}
        numbers = {name: int(variable.of(states)) for name, variable in rules.things.items()}
        in_hand = int(rules.hand.of(states))
        held = list(rules.things)[in_hand - 1] if in_hand else None
        return fractions, {name: number for name, number in numbers.items() if name != held}, held

    def _pose(self, fractions: Mapping[str, float], numbers: Mapping[str, int]) -> None:
        self.scene.pose(fractions, {name: self.geometry.base(name, number, fractions) for name, number in numbers.items()})


def _nearest(cells: np.ndarray, to: tuple[int, int]) -> tuple[int, int]:
    """Of cells `[H, W]` bool, not empty, the nearest to one."""
    there = np.argwhere(cells)
    row, column = there[np.square(there - to).sum(axis=1).argmin()]
    return int(row), int(column)
