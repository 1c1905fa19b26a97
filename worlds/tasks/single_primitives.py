"""Trials of single primitives drawn from seeds: a random scene and one move that it allows, balanced over kinds of things."""

from dataclasses import dataclass, replace

import numpy as np

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.scene_sampling import crowded
from hiermap.worlds.kitchen.spec import HINGED, OBJECT_KINDS, KitchenSpec, SceneState, side_room
from hiermap.worlds.oracle import affordances
from hiermap.worlds.rules import transitions
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import LOW, drawer_place, fits, pose_at
from hiermap.worlds.rules.slabs import STRICT
from hiermap.worlds.tasks.start_scenes import kitchen_seeds, simulator, start_scene

BALANCED: dict[str, tuple[tuple[str, str], ...]] = {
    "grasp": tuple((kind, place) for place in ("counter", "drawer") for kind in OBJECT_KINDS),
    "place": tuple((kind, place) for place in ("spot", "surface", "drawer") for kind in OBJECT_KINDS),
    "push": (
        ("drawer", "closed"),
        *((kind, "closed") for kind in HINGED),
        ("oven_door", "closed"),
        ("sliding_door", "open"),
        ("sliding_door", "closed"),
        ("switch", "on"),
        ("switch", "off"),
        ("object", "left"),
        ("object", "right"),
    ),
    "pull": (("drawer", "open"), *((kind, "open") for kind in HINGED), ("oven_door", "open")),
    "rotate": tuple((kind, argument) for kind in ("knob", "tap", "latch") for argument in ("on", "off")),
}
"""What each suite cycles through, seed by seed."""
ROOM = 0.02
"""Between an object put into a drawer and its neighbours [m]."""
ATTEMPTS = 10
"""Scenes drawn in every kitchen near a seed before there is said to be no trial; a sliding door is seldom free, and in few families."""


@dataclass(frozen=True)
class PrimitiveTrial:
    """A kitchen, a scene and one move that the scene allows with room to spare."""

    spec: KitchenSpec
    scene: SceneState
    move: Move


def primitive_trial(suite: str, seed: int, check_view: bool = True, arm: ArmSpec = PANDA) -> PrimitiveTrial:
    """The trial of a seed; consecutive seeds cycle through the kinds of things in `BALANCED`.

    With `check_view` the simulator is asked whether something of the move's target can be seen past `arm`, as an action needs a cell.

    Raises:
        ConfigError: unknown suite or negative seed, or (never seen) no such trial near the seed.
    """
    primitive = suite.removeprefix("primitive-")
    if primitive not in BALANCED or primitive == suite:
        raise ConfigError(f"unknown suite {suite!r}; expected one of {', '.join('primitive-' + name for name in BALANCED)}")
    if seed < 0:
        raise ConfigError(f"trial seed {seed}: expected a non-negative integer")
    kind, argument = BALANCED[primitive][_turn(seed, len(BALANCED[primitive]))]
    for attempt in range(ATTEMPTS):
        for kitchen_seed in kitchen_seeds(seed):
            spec = sample_kitchen(kitchen_seed)
            rng = np.random.default_rng([seed, 3, kitchen_seed, len(primitive), attempt])
            trial = _trial(spec, primitive, kind, argument, rng)
            if trial is not None and (not check_view or is_seen(trial, arm)):
                return trial
    raise ConfigError(f"no {suite} trial for {kind} found near seed {seed}; try another seed")


def _turn(seed: int, kinds: int) -> int:
    """Which kind a seed's trial is about: even over consecutive seeds, and over every fifth, as a suite of all primitives takes them."""
    return (seed % len(BALANCED) * max(1, kinds // len(BALANCED)) + seed // len(BALANCED)) % kinds


def is_seen(trial: PrimitiveTrial, arm: ArmSpec) -> bool:
    """Whether the fused view offers a cell for the trial's move."""
    kitchen = simulator(trial.spec, arm)
    kitchen.set_scene(trial.scene)
    return affordances.action_for(trial.spec, kitchen.scene(), kitchen.view(), trial.move, kitchen.masks()) is not None


def _trial(spec: KitchenSpec, primitive: str, kind: str, argument: str, rng: np.random.Generator) -> PrimitiveTrial | None:
    if kind not in {"object", *(o.name for o in spec.objects), *(f.kind for f in spec.fixtures)}:
        return None
    scene = start_scene(spec, rng)
    scene = None if scene is None else _arranged(spec, scene, primitive, kind, argument, rng)
    if scene is None:
        return None
    wanted = [
        m for m in transitions.legal_moves(spec, scene, STRICT) if m.primitive == primitive and _matches(spec, scene, m, kind, argument)
    ]
    return PrimitiveTrial(spec, scene, wanted[int(rng.integers(len(wanted)))]) if wanted else None


def _matches(spec: KitchenSpec, scene: SceneState, move: Move, kind: str, argument: str) -> bool:
    if move.primitive == "grasp":
        low = scene.poses[kind][2] < spec.counter_world[4] - LOW
        return move.target == kind and low == (argument == "drawer")
    if move.place is not None:
        surfaces = {surface.name for surface in spec.surfaces}
        return argument == ("drawer" if move.place.drawer else "surface" if move.place.name in surfaces else "spot")
    if move.to is not None:
        return spec.fixture(move.target).kind == kind and move.to == argument
    return kind == "object" and move.side == argument


def _arranged(
    spec: KitchenSpec, scene: SceneState, primitive: str, kind: str, argument: str, rng: np.random.Generator
) -> SceneState | None:
    """The scene changed just enough that the wanted move makes sense; None if it cannot be."""
    if primitive == "grasp" and argument == "drawer":
        return _in_open_drawer(spec, scene, kind, rng)
    fixtures = [f for f in spec.fixtures if f.kind == kind]
    fractions = {d.name: 1.0 for d in spec.drawers if primitive == "place" and argument == "drawer" and d.above is None}
    if fixtures:
        target = fixtures[int(rng.integers(len(fixtures)))]
        needed = {target.name: 1.0 - target.ends.index(argument), target.above: 0.0, target.latch: 1.0}
        fractions = {name: fraction for name, fraction in needed.items() if name is not None}
        fractions |= {door.name: 0.0 for door in spec.fixtures if door.latch == target.name}
    for name, fraction in fractions.items():
        scene = transitions.with_fraction(spec, scene, name, fraction)
    return replace(scene, held=kind) if primitive == "place" else scene


def _in_open_drawer(spec: KitchenSpec, scene: SceneState, name: str, rng: np.random.Generator) -> SceneState | None:
    thing = spec.object(name)
    drawers = [drawer for drawer in spec.drawers if drawer.above is None and fits(thing, drawer)]
    if not drawers:
        return None
    drawer = drawers[int(rng.integers(len(drawers)))]
    scene = transitions.with_fraction(spec, scene, drawer.name, 1.0)
    # A box in a drawer stands square to it: the hand can only come along the kitchen front there.
    turn = 0.15 if thing.length else np.pi
    x, y, z, yaw = pose_at(spec, drawer_place(drawer), scene.fractions, float(rng.uniform(-turn, turn)))
    moved = (x, y + float(rng.uniform(-1.0, 1.0)) * side_room(drawer, thing), z, yaw)
    others = {other: pose for other, pose in scene.poses.items() if other != name}
    return None if crowded(spec, others, thing, moved, ROOM) else replace(scene, poses={**scene.poses, name: moved})
