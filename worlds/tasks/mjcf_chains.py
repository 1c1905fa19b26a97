"""`chain-k` tasks in a stranger's scene, by the rules of its geometry."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from hiermap.worlds.errors import ConfigError, PhysicsError
from hiermap.worlds.geometry.geometry_table import LOOSE, STRICT, GeometryTable
from hiermap.worlds.geometry.kinematic_copy import KinematicCopy
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.mjcf.assembly import Base
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.tasks.chain_names import chain_length
from hiermap.worlds.tasks.chains import DETOUR_FROM, DETOUR_SHARE, count_detours, reachable_goals
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS

STARTS = 20
"""Starts tried for a seed."""


def mjcf_chain(suite: str, seed: int, path: Path, base: Base | None, sensing: SensingOptions | None) -> PosedTask:
    """The task of a seed in a scene that begins with fixtures at random ends and things where the hand can take them.

    Raises:
        ConfigError: the scene cannot be used, or has no such task.
    """
    length, scene = chain_length(suite), MjcfScene(path, base, sensing, seed)
    geometry = geometry_of(path, base)
    for attempt in range(STARTS):
        rng = np.random.default_rng([seed, length, 3, attempt])
        fractions, numbers = geometry.start(rng)
        try:
            strict, loose = (GeometryTable(geometry, fractions, numbers, room) for room in (STRICT, LOOSE))
        except ValueError as error:
            raise ConfigError(f"{path.name}: {error}") from error
        want_detour = length >= DETOUR_FROM and rng.uniform() < DETOUR_SHARE
        for goal, solution in reachable_goals(strict, loose, rng, length, want_detour):
            try:
                scene.pose(fractions, {name: geometry.base(name, number, fractions) for name, number in numbers.items()})
            except PhysicsError:
                break
            seen = {name for name, mask in scene.masks().items() if mask.sum() >= MIN_VISIBLE_CELLS}
            truth = scene.truth(goal)
            if {name for p in goal for name in p.arguments} <= seen and not all(truth.values()):
                return PosedTask(suite, seed, scene, goal, len(solution), count_detours(solution, goal))
    movable = ", ".join(geometry.movable()) or "nothing"
    raise ConfigError(f"{path.name} has no {suite} near seed {seed}: the hand moves {movable} there; ask for a shorter chain")


@lru_cache(maxsize=2)
def geometry_of(path: Path, base: Base | None) -> SceneGeometry:
    """Of a scene as it is written; working it out takes seconds."""
    scene = MjcfScene(path, base)
    return SceneGeometry(KinematicCopy(scene.model, scene.parts))
