"""The exact transition rules of a kitchen: which moves a scene allows, and what they change.

Nothing is scripted: a move is possible when the geometry leaves room for the moving part, for the hand and for the object.
A free hand is needed for everything but placing; what is in a closed drawer is enclosed; a drawer under an open one is covered; a latched
door opens only once its latch is turned; whatever stands in the sweep of a door, or an open neighbour, keeps it from moving; the lever of a
tap that is on may keep the fingers from a latch beside it.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import SIDES, in_drawer, pose_at
from hiermap.worlds.rules.slabs import NOMINAL, Clearance
from hiermap.worlds.rules.transition_table import TransitionTable


def table_for(spec: KitchenSpec, scene: SceneState, clearance: Clearance = NOMINAL) -> TransitionTable:
    """The compiled rules of the kitchen with the scene's objects; the latest few are kept."""
    key = (tuple(sorted(scene.fractions.items())), tuple(sorted(scene.poses.items())), scene.held)
    return _table(spec, key, clearance)


@lru_cache(maxsize=32)
def _table(spec: KitchenSpec, key: tuple, clearance: Clearance) -> TransitionTable:
    fractions, poses, held = key
    return TransitionTable(spec, SceneState(dict(fractions), dict(poses), held), clearance)


def legal_moves(spec: KitchenSpec, scene: SceneState, clearance: Clearance = NOMINAL) -> list[Move]:
    """Every move that the scene allows, with one orientation bin that is free, in a fixed order."""
    table = table_for(spec, scene, clearance)
    found = [table.operators[number] for number in table.applicable(np.array([table.start], np.int64))[0]]
    return [replace(operator.move, rotation_index=table.free_rotations(table.start, operator)[0]) for operator in found]


def rotations(spec: KitchenSpec, scene: SceneState, move: Move, clearance: Clearance = NOMINAL) -> tuple[int, ...]:
    """Every orientation bin in which the scene allows the move, the best first; empty if it is not allowed."""
    return table_for(spec, scene, clearance).rotations(move)


def apply(spec: KitchenSpec, scene: SceneState, move: Move) -> SceneState:
    """The scene after the move had its effect.

    Raises:
        ValueError: the rules do not allow the move in this scene.
    """
    if not rotations(spec, scene, move):
        allowed = ", ".join(map(str, legal_moves(spec, scene)))
        raise ValueError(f"{move} is not possible in this scene; possible: {allowed}")
    return after(spec, scene, move)


def after(spec: KitchenSpec, scene: SceneState, move: Move, turn_rad: float = 0.0) -> SceneState:
    """As `apply`, whether or not the rules allow the move; what is set down is turned by `turn_rad`."""
    if move.to is not None:
        return with_fraction(spec, scene, move.target, float(spec.fixture(move.target).ends.index(move.to)))
    x, y, z, yaw = scene.poses[move.target]
    if move.side is not None:
        return replace(scene, poses={**scene.poses, move.target: (x, y + SIDES[move.side] * PUSH_DISTANCE_M, z, yaw)})
    if move.place is not None:
        pose = pose_at(spec, move.place, scene.fractions, yaw + turn_rad)
        return replace(scene, poses={**scene.poses, move.target: pose}, held=None)
    return replace(scene, held=move.target)


def with_fraction(spec: KitchenSpec, scene: SceneState, name: str, fraction: float) -> SceneState:
    """The scene with a fixture at another fraction, with everything in it if it is a drawer."""
    drawer, before = spec.fixture(name), scene.fractions[name]
    poses = scene.poses
    if drawer.kind == "drawer":
        shift = (fraction - before) * drawer.joint_range * np.array(drawer.joint_axis_world)
        inside = {n for n, pose in poses.items() if n != scene.held and in_drawer(drawer, before, pose[:3])}
        poses = {n: (*np.add(pose[:3], shift).tolist(), pose[3]) if n in inside else pose for n, pose in poses.items()}
    return replace(scene, fractions={**scene.fractions, name: fraction}, poses=poses)
