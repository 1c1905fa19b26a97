"""`chain-k` tasks by the rules of geometry: in a stranger's scene, and in kitchens of the wide world."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.errors import ConfigError, PhysicsError
from hiermap.worlds.geometry.geometry_table import LOOSE, STRICT, GeometryTable
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.mjcf.assembly import Base, assembled
from hiermap.worlds.mjcf.mjcf_scene import MjcfScene, PartsScene
from hiermap.worlds.perception.cameras import default_cameras
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.rules.state_table import fit_one_state
from hiermap.worlds.scene import PosedTask
from hiermap.worlds.simulator.segmentation import segment
from hiermap.worlds.tasks.chain_names import chain_length
from hiermap.worlds.tasks.chains import DETOUR_FROM, DETOUR_SHARE, count_detours, reachable_goals
from hiermap.worlds.tasks.kitchen_options import KitchenOptions
from hiermap.worlds.tasks.start_scenes import MIN_VISIBLE_CELLS
from hiermap.worlds.wide.cameras import wide_cameras
from hiermap.worlds.wide.kitchens import wide_kitchen
from hiermap.worlds.wide.options import DRAWN, WideOptions

STARTS, KITCHENS = 20, 80
"""Starts tried in a scene, and wide kitchens tried, for a seed."""
BLOCK, APART = 100_000, 7919
"""Kitchens near a seed are those of its block, so that training, validation and tests never mix; the next is so much further."""
SHOWN_SHARE, RIM_CELLS = 0.8, 40
"""A goal speaks of what is seen of a part if it is so much of what a frame with so many more cells on every side would show."""


def mjcf_chain(suite: str, seed: int, path: Path, options: KitchenOptions, sensing: SensingOptions | None) -> PosedTask:
    """The task of a seed in a stranger's scene.

    Raises:
        ConfigError: the scene cannot be used, or has no such task.
    """
    scene = MjcfScene(path, options.place, sensing, seed, options.robot)
    geometry = geometry_of(path, options.place, options.robot)
    task = chain_in(scene, geometry, suite, seed)
    if task is not None:
        return task
    movable = ", ".join(geometry.movable()) or "nothing"
    raise ConfigError(f"{path.name} has no {suite} near seed {seed}: the hand moves {movable} there; ask for a shorter chain")


def wide_chain(suite: str, seed: int, sensing: SensingOptions | None, arm: ArmSpec = PANDA, drawn: WideOptions = DRAWN) -> PosedTask:
    """The task of a seed in the wide kitchen of that seed or, where that has none, of one nearby; ConfigError if none of `KITCHENS` has."""
    for scene in wide_scenes(seed, KITCHENS, sensing, arm, drawn):
        task = chain_in(scene, SceneGeometry.of(scene), suite, seed)
        if task is not None:
            return task
    raise ConfigError(f"kitchen=wide has no {suite} near seed {seed}; try another seed or a shorter chain")


def wide_scenes(
    seed: int, most: int, sensing: SensingOptions | None = None, arm: ArmSpec = PANDA, drawn: WideOptions = DRAWN
) -> Iterator[PartsScene]:
    """The wide kitchen of a seed and others near it, `most` in all, but for the rare ones that `wide_scene` refuses."""
    first = seed - seed % BLOCK
    for kitchen_seed in (first + (seed + APART * number) % BLOCK for number in range(most)):
        try:
            scene = wide_scene(kitchen_seed, sensing, arm, drawn)
        except ConfigError:
            continue
        yield scene


def wide_scene(seed: int, sensing: SensingOptions | None = None, arm: ArmSpec = PANDA, drawn: WideOptions = DRAWN) -> PartsScene:
    """The wide kitchen of a seed with our robot before it, seen by cameras of its own unless others than usual are given.

    Raises:
        ConfigError: something falls as it is written, or there is more than the rules can tell apart.
    """
    name, base, sensing = f"wide {seed}", (0.0, 0.0, 0.0, 0.0), sensing or SensingOptions()
    if sensing.cameras == default_cameras():
        sensing = replace(sensing, cameras=wide_cameras(seed, drawn))
    kitchen = partial(wide_kitchen, seed, drawn)
    scene = PartsScene(assembled(kitchen(), base, name, arm), kitchen, base, name, sensing, seed, arm)
    if not fit_one_state(fixtures := len(scene.parts.fixtures), things := len(scene.parts.things)):
        raise ConfigError(f"{scene.about} has {fixtures} fixtures and {things} things, more than rules can tell apart; take another seed")
    return scene


def chain_in(scene: PartsScene, geometry: SceneGeometry, suite: str, seed: int) -> PosedTask | None:
    """A task in a scene that begins with fixtures at random ends and things where the hand can take them; None if none is found.

    Raises:
        ConfigError: the scene has too many parts.
    """
    length = chain_length(suite)
    for attempt in range(STARTS):
        rng = np.random.default_rng([seed, length, 3, attempt])
        fractions, numbers = geometry.start(rng)
        try:
            strict, loose = (GeometryTable(geometry, fractions, numbers, gap) for gap in (STRICT, LOOSE))
        except ValueError as error:
            raise ConfigError(f"{scene.about}: {error}") from error
        want_detour = length >= DETOUR_FROM and rng.uniform() < DETOUR_SHARE
        try:
            scene.pose(fractions, {name: geometry.base(name, number, fractions) for name, number in numbers.items()})
        except PhysicsError:
            continue
        seen = shown(scene)
        for goal, solution in reachable_goals(strict, loose, rng, length, want_detour):
            if {name for p in goal for name in p.arguments} <= seen and not all(scene.truth(goal).values()):
                return PosedTask(suite, seed, scene, goal, len(solution), count_detours(solution, goal))
    return None


def shown(scene: PartsScene) -> set[str]:
    """What a goal may speak of: what is mostly in the frame and in some camera's sight, and surfaces of which a piece is."""
    valid, inside = scene.view().valid, slice(RIM_CELLS, -RIM_CELLS)
    masks = segment(scene.model, scene.data, scene.frame.wider(RIM_CELLS), scene.geom_owner, scene.robot_geom_ids)
    share = {name: 0.0 if name in scene.parts.surfaces else SHOWN_SHARE for name in masks}
    seen = {name: int((mask[inside, inside] & valid).sum()) for name, mask in masks.items()}
    return {name for name, mask in masks.items() if seen[name] >= max(MIN_VISIBLE_CELLS, share[name] * mask.sum())}


@lru_cache(maxsize=2)
def geometry_of(path: Path, base: Base | None, arm: ArmSpec = PANDA) -> SceneGeometry:
    """Of a scene as it is written; working it out takes seconds."""
    scene = MjcfScene(path, base, arm=arm)
    return SceneGeometry.of(scene)
