"""What a hand can do in a scene, worked out once for all its states."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from hiermap.primitives.hand import YAWS_RAD
from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.specs import Command
from hiermap.worlds.geometry.floors import CLEAR_M, fits, floors
from hiermap.worlds.geometry.grips import fixture_grips, thing_grips
from hiermap.worlds.geometry.kinematic_copy import STATIC, KinematicCopy
from hiermap.worlds.geometry.ways import Passage, fixture_passage, thing_passage
from hiermap.worlds.mjcf.mjcf_scene import PartsScene
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.state_table import CLOSED, OPEN

TRIED = 8
"""Grips of one orientation that are tried, the best first; one that leads through is enough."""
GRIP_BELOW_M = 0.018
"""What is held hangs from a grip this far below its top."""
APART_M = 0.008
"""Things begin this far from each other and from what stands open."""
OPEN_SHARE, WRITTEN_SHARE = 0.35, 0.5
"""Of the fixtures that a random start has open or on, and of the things that it has where they are written."""
TRIES = 60
RIDE = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How far open a container is asked about what rides in it."""

Ways = dict[str, list["Passing"]]
"""Primitive -> ways to do it."""


@dataclass(frozen=True, eq=False)
class Passing:
    """A move in one orientation of the hand and what it passes."""

    command: Command
    passage: Passage


class SceneGeometry:
    """What a hand can do with every part on its own, and what each deed passes; the rest of a scene's states follows from that.

    Attributes:
        copy: to pose parts and ask.
        places: thing -> everywhere it may be: places that things share, the same for all, and at last the one where it is written.
        fits: thing -> of those which it may be set down at; never at the last.
    """

    def __init__(self, copy: KinematicCopy) -> None:
        self.copy = copy
        shared = floors(copy)
        self.places = {name: [*shared, self._written(name)] for name in copy.written}
        self.fits = {name: [*(fits(copy, name, place) for place in shared), False] for name in copy.written}
        self._true: dict[tuple[Place, str, str], bool] = {}

    @classmethod
    def of(cls, scene: PartsScene) -> "SceneGeometry":
        """Of a scene and the arm that stands in it, on a copy."""
        return cls(KinematicCopy(scene.model, scene.parts, scene.arm.spec))

    def _written(self, name: str) -> Place:
        """Where a thing is as the scene is written, in the coordinates of an open container if it is in one."""
        self.copy.reset()
        base = self.copy.written[name][:3] + self.copy.base_offset[name]
        around = (f for f, part in self.copy.parts.fixtures.items() if part.holds_things and self.copy.is_inside(f, base))
        container = next(around, None)
        point = base if container is None else self.copy.carried(container, base, 0.0, 1.0)
        x, y, z = (float(coordinate) for coordinate in point)
        return Place((x, y, z), drawer=container, owner=name)

    def holds_at(self, place: Place, kind: str, target: str) -> bool:
        """Whether "inside" or "on_top" of a target is true of what is at a place, as the scene's own judge says."""
        key = place, kind, target
        if key not in self._true:
            self.copy.reset()
            if place.drawer is not None:
                self.copy.turn(place.drawer, 1.0)
            asked = self.copy.is_inside if kind == "inside" else self.copy.is_on
            self._true[key] = asked(target, np.array(place.point_world))
        return self._true[key]

    @cached_property
    def fixture_ways(self) -> Mapping[tuple[str, int], Ways]:
        """(fixture, the end it begins at) -> ways to bring it to the other end."""
        copy, found = self.copy, {}
        for name in copy.parts.fixtures:
            for start in (CLOSED, OPEN):
                copy.reset()
                copy.turn(name, start)
                view, masks = copy.look()
                grips = fixture_grips(copy, view, masks[name], name, start, OPEN - start)
                found[name, start] = _kept(grips, partial(self._moving, name, start))
        return found

    @cached_property
    def thing_ways(self) -> Mapping[tuple[str, int], Ways]:
        """(thing, number of a place) -> ways to "grasp" it there and to "place" it there."""
        found = {}
        for name, own in self.places.items():
            for number, place in enumerate(own):
                if self.fits[name][number] or place.owner is not None:
                    grasps = _kept(self._grasps(name, place), partial(self._handling, name, place))
                    found[name, number] = grasps | (self._settings(name, place, grasps) if self.fits[name][number] else {})
        return found

    @cached_property
    def carried(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """Container -> thing -> how near it comes to all but the container while it rides in there [m], `[places]`; infinite elsewhere."""
        containers = [name for name, part in self.copy.parts.fixtures.items() if part.holds_things]
        return {name: {thing: self._riding(name, thing) for thing in self.places} for name in containers}

    def _riding(self, container: str, thing: str) -> np.ndarray:
        copy, least = self.copy, np.full(len(self.places[thing]), np.inf)
        others = [STATIC, *(group for name, group in copy.groups.items() if name not in (container, thing))]
        copy.reset()
        for number, place in enumerate(self.places[thing]):
            for fraction in RIDE if place.drawer == container else ():
                copy.turn(container, fraction)
                copy.stand(thing, self.base(thing, number, {container: fraction}) + CLEAR_M * UP)
                least[number] = min(least[number], copy.distances()[copy.groups[thing], others].min())
        copy.reset()
        return least

    def _moving(self, name: str, start: int, command: Command) -> Passage | None:
        return fixture_passage(self.copy, command, name, start, OPEN - start, self.places)

    def _handling(self, name: str, place: Place, command: Command) -> Passage | None:
        return thing_passage(self.copy, command, name, place, self.places)

    def _grasps(self, name: str, place: Place) -> list[Command]:
        self.copy.reset()
        if place.drawer is not None:
            self.copy.turn(place.drawer, 1.0)
        self.copy.stand(name, np.array(place.point_world))
        view, masks = self.copy.look()
        return thing_grips(self.copy, view, masks[name], name)

    def _settings(self, name: str, place: Place, grasps: Ways) -> Ways:
        """Setting a thing down where it could be taken, held as it is taken there."""
        if not grasps:
            return {}
        x, y, _ = place.point_world
        height = grasps["grasp"][0].command.point_world[2] - GRIP_BELOW_M
        asked = [Command("place", (x, y, height), (0.0, 0.0, 1.0), rotation) for rotation in range(len(YAWS_RAD["place"]))]
        return _kept(asked, partial(self._handling, name, place))

    def movable(self) -> list[str]:
        """The fixtures and things that the hand moves from some state."""
        return sorted({name for (name, _), ways in (*self.fixture_ways.items(), *self.thing_ways.items()) if ways})

    def base(self, thing: str, number: int, fractions: Mapping[str, float]) -> np.ndarray:
        """Where the base of a thing at a place is while fixtures are at `fractions`, [3] [m]."""
        place = self.places[thing][number]
        point = np.array(place.point_world)
        return point if place.drawer is None else self.copy.carried(place.drawer, point, 1.0, fractions[place.drawer])

    def start(self, rng: np.random.Generator) -> tuple[dict[str, float], dict[str, int]]:
        """Fractions of the fixtures and numbers of the things' places of a random start in which nothing touches; as written if none is."""
        for _ in range(TRIES):
            fractions = {name: float(rng.uniform() < OPEN_SHARE) for name in self.copy.parts.fixtures}
            numbers = {name: self._drawn(name, rng) for name in self.places}
            if self._is_free(fractions, numbers):
                return fractions, numbers
        return dict.fromkeys(self.copy.parts.fixtures, 0.0), {name: len(own) - 1 for name, own in self.places.items()}

    def _drawn(self, name: str, rng: np.random.Generator) -> int:
        usable = [number for number, ways in enumerate(self.fits[name]) if ways and self.thing_ways[name, number]]
        return len(self.places[name]) - 1 if not usable or rng.uniform() < WRITTEN_SHARE else int(rng.choice(usable))

    def _is_free(self, fractions: Mapping[str, float], numbers: Mapping[str, int]) -> bool:
        """If things keep clear of each other and of every fixture that is not at rest but their own, and fit in that where it is shut."""
        around = {name: self.places[name][number].drawer for name, number in numbers.items()}
        shut = [(name, container) for name, container in around.items() if container is not None and fractions[container] == 0]
        if any(self.carried[container][name][numbers[name]] < 0 for name, container in shut):
            return False
        copy = self.copy
        copy.reset()
        for name, fraction in fractions.items():
            copy.turn(name, fraction)
        for name, number in numbers.items():
            copy.stand(name, self.base(name, number, fractions))
        near = copy.distances()
        copy.reset()
        others = [*numbers, *(name for name, fraction in fractions.items() if fraction > 0)]
        pairs = ((name, other) for name in numbers for other in others if other not in (name, around[name]))
        return all(near[copy.groups[name], copy.groups[other]] >= APART_M for name, other in pairs)


def _kept(commands: Sequence[Command], passage_of: Callable[[Command], Passage | None]) -> Ways:
    """Of each primitive and orientation the first grip that leads through."""
    tried, found = dict[tuple[str, int], int](), dict[tuple[str, int], Passing]()
    for command in commands:
        key = command.primitive, command.rotation_index
        tried[key] = tried.get(key, 0) + 1
        if key not in found and tried[key] <= TRIED and (passage := passage_of(command)) is not None:
            found[key] = Passing(command, passage)
    ways: Ways = {}
    for (primitive, _), passing in found.items():
        ways.setdefault(primitive, []).append(passing)
    return ways
