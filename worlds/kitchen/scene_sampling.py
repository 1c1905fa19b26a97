"""Scenes of a kitchen as plain data: everything shut, or a valid random articulation with objects put down anywhere free."""

from collections.abc import Mapping

import numpy as np

from hiermap.worlds.kitchen.spec import DRAWER_INSET, HINGED, FixtureSpec, KitchenSpec, ObjectSpec, Pose, SceneState, side_room

CLEARANCE = 0.012
"""Free space kept between an object and anything else [m]."""
OPEN_CHANCE = 0.35
"""Share of fixtures that a random scene opens or switches on."""
IN_DRAWER_CHANCE = 0.25
"""Share of objects that a random scene puts into a drawer."""


def initial_scene(spec: KitchenSpec) -> SceneState:
    """Everything shut and off, objects on the first free spots."""
    z = spec.counter_world[4]
    poses = {o.name: (*spot, z, 0.0) for o, spot in zip(spec.objects, spec.spots_world, strict=False)}
    return SceneState({f.name: 0.0 for f in spec.fixtures}, poses)


def random_scene(spec: KitchenSpec, rng: np.random.Generator) -> SceneState:
    """Doors and drawers shut, ajar or open, knobs either way, objects on free spots or in drawers; nothing overlaps."""
    fractions = {f.name: _fraction(f, rng) for f in spec.fixtures}
    for fixture in spec.fixtures:
        if fixture.latch is not None and fractions[fixture.name] > 0.0:
            fractions[fixture.latch] = 1.0
        if fixture.above is not None and fractions[fixture.name] > 0.0 and rng.uniform() < 0.7:
            fractions[fixture.above] = 0.0
    poses: dict[str, Pose] = {}
    for index in rng.permutation(len(spec.objects)):
        thing = spec.objects[int(index)]
        poses[thing.name] = _free_pose(spec, fractions, poses, thing, rng)
    return SceneState(fractions, {o.name: poses[o.name] for o in spec.objects})


def _fraction(fixture: FixtureSpec, rng: np.random.Generator) -> float:
    if rng.uniform() > OPEN_CHANCE:
        return 0.0
    partly = fixture.kind != "latch" and rng.uniform() < 0.15
    return float(rng.uniform(0.3, 0.8)) if partly else 1.0


def _free_pose(spec: KitchenSpec, fractions: dict[str, float], poses: dict[str, Pose], thing: ObjectSpec, rng: np.random.Generator) -> Pose:
    drawers = spec.drawers
    if drawers and rng.uniform() < IN_DRAWER_CHANCE:
        drawer = drawers[int(rng.integers(len(drawers)))]
        pose = drawer_pose(drawer, fractions[drawer.name], thing, rng)
        if not crowded(spec, poses, thing, pose):
            return pose
    z = spec.counter_world[4]
    spots = [spec.spots_world[int(i)] for i in rng.permutation(len(spec.spots_world))]
    tries = [(*spot, z, float(rng.uniform(-np.pi, np.pi))) for spot in spots]
    for pose in tries:
        if not crowded(spec, poses, thing, pose) and not any(in_sweep(f, fractions[f.name], thing, pose) for f in spec.fixtures):
            return pose
    # Five spots, at most two other objects and two doors: shutting the doors always leaves a spot.
    for fixture in spec.fixtures:
        if fixture.kind in HINGED:
            fractions[fixture.name] = 0.0
    return next(pose for pose in tries if not crowded(spec, poses, thing, pose))


def drawer_pose(drawer: FixtureSpec, fraction: float, thing: ObjectSpec, rng: np.random.Generator) -> Pose:
    """A random base pose inside a drawer at `fraction`, reachable from above once it is open."""
    x, y, _ = drawer.face_world
    side = float(rng.uniform(-1.0, 1.0)) * side_room(drawer, thing)
    moved = drawer.moved(np.array((x + DRAWER_INSET, y + side, drawer.drawer_floor_z)), fraction)
    return float(moved[0]), float(moved[1]), float(moved[2]), float(rng.uniform(-np.pi, np.pi))


def in_sweep(door: FixtureSpec, fraction: float, thing: ObjectSpec, pose: Pose) -> bool:
    """True if an object stands where an open door is or has swung through (a shut door sweeps nothing)."""
    if door.kind not in HINGED or fraction <= 0.0:
        return False
    hinge = np.array(door.joint_anchor_world[:2])
    arm = np.array(pose[:2]) - hinge
    distance, margin = float(np.hypot(*arm)), thing.radius + CLEARANCE
    if distance > door.size[0] + margin:
        return False
    angle = float(np.arctan2(-arm[0], np.copysign(1.0, door.joint_axis_world[2]) * arm[1]))
    slack = np.arcsin(min(1.0, margin / max(distance, 1e-6)))
    return -slack <= angle <= fraction * door.joint_range + slack


def crowded(spec: KitchenSpec, poses: Mapping[str, Pose], thing: ObjectSpec, pose: Pose, clearance: float = CLEARANCE) -> bool:
    """Whether an object there would stand nearer than `clearance` [m] to one of those at `poses`."""
    return any(
        np.hypot(pose[0] - x, pose[1] - y) < thing.radius + spec.object(name).radius + clearance and abs(pose[2] - z) < 0.09
        for name, (x, y, z, _) in poses.items()
    )
