"""The exact transition rules of a kitchen: which moves a scene allows, what they change, and how far predicates are.

Nothing is scripted: a move is possible when the geometry leaves room for the moving part, for the hand and for the object.
A free hand is needed for everything but placing; what is in a closed drawer is enclosed; a drawer under an open one is covered; a latched
door opens only once its latch is turned; whatever stands in the sweep of a door, or an open neighbour, keeps it from moving.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.worlds.goals import Predicate
from hiermap.worlds.kitchen.spec import FixtureSpec, KitchenSpec, SceneState
from hiermap.worlds.rules.judge import PredicateKey
from hiermap.worlds.rules.moves import Move
from hiermap.worlds.rules.places import in_drawer, place_named, pose_at
from hiermap.worlds.rules.shortest_paths import shortest, steps_to_predicates
from hiermap.worlds.rules.slabs import NOMINAL, Clearance
from hiermap.worlds.rules.transition_table import Operator, Table

__all__ = ["Move", "apply", "carried", "is_applicable", "moves", "rotations", "solve", "steps_to_go", "table_for"]

Poses = dict[str, tuple[float, float, float, float]]
_TO_FRACTION = {"open": 1.0, "on": 1.0, "closed": 0.0, "off": 0.0}


def table_for(spec: KitchenSpec, scene: SceneState, clearance: Clearance = NOMINAL) -> Table:
    """The compiled rules of the kitchen with the scene's objects; the latest few are kept."""
    key = (tuple(sorted(scene.fractions.items())), tuple(sorted(scene.poses.items())), scene.held)
    return _table(spec, key, clearance)


@lru_cache(maxsize=8)
def _table(spec: KitchenSpec, key: tuple, clearance: Clearance) -> Table:
    fractions, poses, held = key
    return Table(spec, SceneState(dict(fractions), dict(poses), held), clearance)


def moves(spec: KitchenSpec, scene: SceneState, clearance: Clearance = NOMINAL) -> list[Move]:
    """Every move that the scene allows, with one orientation bin that is free, in a fixed order."""
    table = table_for(spec, scene, clearance)
    found = []
    for number, _ in table.applicable(np.array([table.start], np.int64)):
        operator = table.operators[number]
        found.append(replace(operator.move, rotation_index=table.free_rotations(table.start, operator)[0]))
    return found


def rotations(spec: KitchenSpec, scene: SceneState, move: Move, clearance: Clearance = NOMINAL) -> tuple[int, ...]:
    """Every orientation bin in which the scene allows the move, the best first; empty if it is not allowed."""
    table = table_for(spec, scene, clearance)
    for operator in table.operators:
        if _same(operator, move):
            bins = table.free_rotations(table.start, operator)
            if bins:
                return bins
    return ()


def is_applicable(spec: KitchenSpec, scene: SceneState, move: Move, clearance: Clearance = NOMINAL) -> bool:
    """Whether the scene allows the move, in whatever orientation."""
    return bool(rotations(spec, scene, move, clearance))


def _same(operator: Operator, move: Move) -> bool:
    return (operator.move.primitive, operator.move.target, operator.move.argument) == (move.primitive, move.target, move.argument)


def apply(spec: KitchenSpec, scene: SceneState, move: Move) -> SceneState:
    """The scene after the move had its effect.

    Raises:
        ValueError: the rules do not allow the move in this scene.
    """
    if not is_applicable(spec, scene, move):
        allowed = ", ".join(map(str, moves(spec, scene)))
        raise ValueError(f"{move} is not possible in this scene; possible: {allowed}")
    if move.primitive == "grasp":
        return replace(scene, held=move.target)
    if move.argument in _TO_FRACTION:
        return _moved_fixture(spec, scene, move)
    poses = dict(scene.poses)
    x, y, z, yaw = poses[move.target]
    if move.primitive == "push":
        poses[move.target] = (x, y + (PUSH_DISTANCE_M if move.argument == "left" else -PUSH_DISTANCE_M), z, yaw)
        return replace(scene, poses=poses)
    poses[move.target] = pose_at(spec, place_named(spec, move.argument), dict(scene.fractions), yaw)
    return replace(scene, poses=poses, held=None)


def _moved_fixture(spec: KitchenSpec, scene: SceneState, move: Move) -> SceneState:
    fixture = spec.fixture(move.target)
    before, after = scene.fractions[move.target], _TO_FRACTION[move.argument]
    poses = carried(fixture, before, after, dict(scene.poses), scene.held)
    return replace(scene, fractions={**scene.fractions, move.target: after}, poses=poses)


def carried(fixture: FixtureSpec, before: float, after: float, poses: Poses, held: str | None = None) -> Poses:
    """Poses after a drawer went from one fraction to another with everything in it; the same poses for any other fixture."""
    if fixture.kind != "drawer":
        return poses
    shift = (after - before) * fixture.joint_range * np.array(fixture.joint_axis_world)
    inside = {name for name, pose in poses.items() if name != held and in_drawer(fixture, before, np.array(pose[:3]))}
    return {name: _shifted(pose, shift) if name in inside else pose for name, pose in poses.items()}


def _shifted(pose: tuple[float, float, float, float], shift: np.ndarray) -> tuple[float, float, float, float]:
    return pose[0] + float(shift[0]), pose[1] + float(shift[1]), pose[2] + float(shift[2]), pose[3]


def steps_to_go(spec: KitchenSpec, scene: SceneState, max_steps: int = 5) -> dict[PredicateKey, int]:
    """Least primitives after which each single predicate `(kind, *arguments)` holds; those beyond `max_steps` are left out."""
    return steps_to_predicates(table_for(spec, scene), max_steps)


def solve(
    spec: KitchenSpec, scene: SceneState, goal: tuple[Predicate, ...], limit: int = 10, clearance: Clearance = NOMINAL
) -> tuple[Move, ...] | None:
    """A shortest solution of a conjunction, or None if there is none of at most `limit` moves."""
    return shortest(table_for(spec, scene, clearance), goal, limit)
