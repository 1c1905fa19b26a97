"""The judge: which goal predicates hold in a true scene, and whether a move had its effect."""

from collections.abc import Callable

import numpy as np

from hiermap.worlds.goals import CLOSED_FRACTION, OFF_FRACTION, ON_FRACTION, OPEN_FRACTION, Predicate
from hiermap.worlds.kitchen.spec import OPENABLE, SWITCHABLE, KitchenSpec, SceneState
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import in_drawer, on_surface, place_named

PUSHED_MIN, PUSHED_MAX, PUSHED_ASIDE = 0.05, 0.16, 0.04
"""A sideways push of 10 cm had its effect when the object moved so far along, and at most so far across [m]."""
PLACED_RADIUS = 0.05
"""A placed object may stand this far from where it was asked to stand [m]; placing is exact to about 5 mm."""

PredicateKey = tuple[str, ...]
"""`(kind, *arguments)`."""


def is_open(fraction: float) -> bool:
    """Whether a door or drawer at `fraction` of its range counts as open."""
    return fraction >= OPEN_FRACTION


def is_closed(fraction: float) -> bool:
    """Whether a door or drawer at `fraction` of its range counts as closed."""
    return fraction <= CLOSED_FRACTION


def is_on(fraction: float) -> bool:
    """Whether a knob, lever or switch at `fraction` of its range counts as on."""
    return fraction >= ON_FRACTION


def is_off(fraction: float) -> bool:
    """Whether a knob, lever or switch at `fraction` of its range counts as off."""
    return fraction <= OFF_FRACTION


_OF_FRACTION: dict[str, Callable[[float], bool]] = {"open": is_open, "closed": is_closed, "on": is_on, "off": is_off}


def holds(spec: KitchenSpec, scene: SceneState, predicate: Predicate) -> bool:
    """Whether the predicate is true in the scene; KeyError for a thing the kitchen does not have, ValueError for a kind it has not."""
    kind, target = predicate.kind, predicate.arguments[-1]
    if kind == "held":
        _require(target in scene.poses, predicate, "an object", sorted(scene.poses))
        return scene.held == target
    if kind in _OF_FRACTION:
        fixture = spec.fixture(target)
        able = OPENABLE if kind in ("open", "closed") else SWITCHABLE
        _require(fixture.kind in able, predicate, f"a fixture that can be {kind}", [fixture.kind])
        return _OF_FRACTION[kind](scene.fractions[target])
    thing = predicate.arguments[0]
    _require(thing in scene.poses, predicate, "an object", sorted(scene.poses))
    point = np.array(scene.poses[thing][:3])
    if kind == "inside":
        drawer = spec.fixture(target)
        _require(drawer.kind == "drawer", predicate, "a drawer", [drawer.kind])
        return scene.held != thing and in_drawer(drawer, scene.fractions[target], point)
    surfaces = {s.name: s for s in spec.surfaces}
    _require(target in surfaces, predicate, "a surface", sorted(surfaces))
    return scene.held != thing and on_surface(surfaces[target], point)


def _require(condition: bool, predicate: Predicate, expected: str, found: list[str]) -> None:
    if not condition:
        raise ValueError(f"{predicate} needs {expected}, got {found}; check the names in the goal")


def vocabulary(spec: KitchenSpec, objects: tuple[str, ...]) -> list[PredicateKey]:
    """Every predicate that makes sense in the kitchen with these objects, in a fixed order."""
    keys: list[PredicateKey] = []
    for fixture in spec.fixtures:
        kinds = ("open", "closed") if fixture.kind in OPENABLE else ("on", "off")
        keys += [(kind, fixture.name) for kind in kinds]
    drawers = [f.name for f in spec.fixtures if f.kind == "drawer"]
    for name in objects:
        keys.append(("held", name))
        keys += [("inside", name, drawer) for drawer in drawers]
        keys += [("on_top", name, surface.name) for surface in spec.surfaces]
    return keys


def truth(spec: KitchenSpec, scene: SceneState) -> dict[PredicateKey, bool]:
    """Truth of every predicate that makes sense in this kitchen."""
    return {key: holds(spec, scene, Predicate(key[0], key[1:])) for key in vocabulary(spec, tuple(sorted(scene.poses)))}


def satisfied(spec: KitchenSpec, scene: SceneState, predicates: tuple[Predicate, ...]) -> bool:
    """Whether all the predicates hold."""
    return all(holds(spec, scene, p) for p in predicates)


def effect(spec: KitchenSpec, before: SceneState, after: SceneState, move: Move) -> bool:
    """Whether the true scene `after` shows what the move is for, which `before` did not show."""
    if move.primitive == "grasp":
        return before.held is None and after.held == move.target
    if move.argument in _OF_FRACTION:
        wanted = Predicate(move.argument, (move.target,))
        return holds(spec, after, wanted) and not holds(spec, before, wanted)
    if move.primitive == "push":
        start, end = np.array(before.poses[move.target][:3]), np.array(after.poses[move.target][:3])
        along = (end - start)[1] * (1.0 if move.argument == "left" else -1.0)
        aside = max(abs((end - start)[0]), abs((end - start)[2]))
        return bool(PUSHED_MIN <= along <= PUSHED_MAX and aside <= PUSHED_ASIDE)
    place = place_named(spec, move.argument)
    point = np.array(after.poses[move.target][:3])
    if before.held != move.target or after.held is not None:
        return False
    if place.drawer is not None:
        return in_drawer(spec.fixture(place.drawer), after.fractions[place.drawer], point)
    offset = point - np.array(place.point_world)
    return bool(np.hypot(offset[0], offset[1]) <= PLACED_RADIUS and abs(offset[2]) <= 0.03)
