"""The judge: which goal predicates hold in a true scene, and whether a move had its effect."""

from collections.abc import Callable, Mapping

import numpy as np

from hiermap.worlds.goals import PREDICATES, Predicate
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import SIDES, in_drawer, on_surface

PUSHED_MIN, PUSHED_MAX, PUSHED_ASIDE = 0.05, 0.16, 0.04
"""A sideways push of 10 cm had its effect when the object moved so far along, and at most so far across [m]."""
PLACED_RADIUS, PLACED_LEVEL = 0.05, 0.03
"""A placed object may stand this far from where it was asked to stand, and this far above or below [m]; placing is exact to 5 mm."""

PredicateKey = tuple[str, ...]
"""`(kind, *arguments)`."""


def holds(spec: KitchenSpec, scene: SceneState, predicate: Predicate) -> bool:
    """Whether the predicate is true in the scene; KeyError for a thing the kitchen does not have, ValueError for a kind it has not."""
    return JUDGES[predicate.kind](spec, scene, predicate)


def _joint_holds(spec: KitchenSpec, scene: SceneState, predicate: Predicate) -> bool:
    fixture = spec.fixture(predicate.arguments[0])
    _require(predicate.kind in fixture.ends, predicate, f"a fixture that can be {predicate.kind}", [fixture.kind])
    return PREDICATES[predicate.kind].holds_at(scene.fractions[fixture.name])


def _held(spec: KitchenSpec, scene: SceneState, predicate: Predicate) -> bool:
    thing = predicate.arguments[0]
    _require(thing in scene.poses, predicate, "an object", sorted(scene.poses))
    return scene.held == thing


def _inside(spec: KitchenSpec, scene: SceneState, predicate: Predicate) -> bool:
    thing, drawer = predicate.arguments[0], spec.fixture(predicate.arguments[1])
    _require(drawer.kind == "drawer", predicate, "a drawer", [drawer.kind])
    return not _held(spec, scene, predicate) and in_drawer(drawer, scene.fractions[drawer.name], scene.poses[thing][:3])


def _on_top(spec: KitchenSpec, scene: SceneState, predicate: Predicate) -> bool:
    thing, target = predicate.arguments
    surfaces = {s.name: s for s in spec.surfaces}
    _require(target in surfaces, predicate, "a surface", sorted(surfaces))
    return not _held(spec, scene, predicate) and on_surface(surfaces[target], scene.poses[thing][:3])


JUDGES: Mapping[str, Callable[[KitchenSpec, SceneState, Predicate], bool]] = {
    "open": _joint_holds,
    "closed": _joint_holds,
    "on": _joint_holds,
    "off": _joint_holds,
    "held": _held,
    "inside": _inside,
    "on_top": _on_top,
}
"""Kind of predicate -> whether it is true in a scene; one for every key of `PREDICATES`."""


def _require(condition: bool, predicate: Predicate, expected: str, found: list[str]) -> None:
    if not condition:
        raise ValueError(f"{predicate} needs {expected}, got {found}; check the names in the goal")


def vocabulary(spec: KitchenSpec, objects: tuple[str, ...]) -> list[PredicateKey]:
    """Every predicate that makes sense in the kitchen with these objects, in a fixed order."""
    keys: list[PredicateKey] = []
    for fixture in spec.fixtures:
        keys += [(end, fixture.name) for end in reversed(fixture.ends)]
    for name in objects:
        keys.append(("held", name))
        keys += [("inside", name, drawer.name) for drawer in spec.drawers]
        keys += [("on_top", name, surface.name) for surface in spec.surfaces]
    return keys


def truth(spec: KitchenSpec, scene: SceneState) -> dict[PredicateKey, bool]:
    """Truth of every predicate that makes sense in this kitchen."""
    return {key: holds(spec, scene, Predicate(key[0], key[1:])) for key in vocabulary(spec, tuple(sorted(scene.poses)))}


def effect(spec: KitchenSpec, before: SceneState, after: SceneState, move: Move) -> bool:
    """Whether the true scene `after` shows what the move is for, which `before` did not show."""
    if move.primitive == "grasp":
        return before.held is None and after.held == move.target
    if move.to is not None:
        wanted = Predicate(move.to, (move.target,))
        return holds(spec, after, wanted) and not holds(spec, before, wanted)
    point = after.poses[move.target][:3]
    if move.side is not None:
        x, y, z = np.subtract(point, before.poses[move.target][:3])
        return bool(PUSHED_MIN <= y * SIDES[move.side] <= PUSHED_MAX and max(abs(x), abs(z)) <= PUSHED_ASIDE)
    if move.place is None or before.held != move.target or after.held is not None:
        return False
    if move.place.drawer is not None:
        return in_drawer(spec.fixture(move.place.drawer), after.fractions[move.place.drawer], point)
    x, y, z = np.subtract(point, move.place.point_world)
    return bool(np.hypot(x, y) <= PLACED_RADIUS and abs(z) <= PLACED_LEVEL)
